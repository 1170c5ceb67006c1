export type Theme = "auto" | "light" | "dark";

const item = "ulmfit.theme";

export function currentTheme(): Theme {
  const chosen = localStorage.getItem(item);
  return chosen === "light" || chosen === "dark" ? chosen : "auto";
}

/** Tells the style sheet, and whoever draws by hand, of the colours. */
export function applyTheme(theme: Theme): void {
  if (theme === "auto") {
    localStorage.removeItem(item);
    delete document.documentElement.dataset["theme"];
  } else {
    localStorage.setItem(item, theme);
    document.documentElement.dataset["theme"] = theme;
  }
  document.dispatchEvent(new Event("themechange"));
}

/** Calls back whenever the colours change, by the switch or by the system. Returns what ends that. */
export function onThemeChange(changed: () => void): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", changed);
  document.addEventListener("themechange", changed);
  return () => {
    system.removeEventListener("change", changed);
    document.removeEventListener("themechange", changed);
  };
}
