export type LanguageCode = "en" | "zh";

/** The language that was chosen before, else the first of the browser's that there is. */
export function initialLanguage(chosen: string | null, preferred: readonly string[]): LanguageCode {
  if (chosen === "en" || chosen === "zh") {
    return chosen;
  }
  for (const tag of preferred) {
    const primary = tag.toLowerCase().split("-")[0];
    if (primary === "en" || primary === "zh") {
      return primary;
    }
  }
  return "en";
}
