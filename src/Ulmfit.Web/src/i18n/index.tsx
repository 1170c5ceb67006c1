import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useMemo, useState } from "preact/hooks";
import { Format } from "../logic/format";
import { initialLanguage, type LanguageCode } from "./choice";
import { en, type Texts } from "./en";
import { zh } from "./zh";

export type { LanguageCode };

export const languages: Readonly<Record<LanguageCode, Texts>> = { en, zh };

const item = "ulmfit.language";
const tags: Readonly<Record<LanguageCode, string>> = { en: "en", zh: "zh-Hans" };

interface Localisation {
  readonly code: LanguageCode;
  readonly t: Texts;
  readonly f: Format;
  choose(code: LanguageCode): void;
}

const Context = createContext<Localisation | null>(null);

export function Localised({ children }: { readonly children: ComponentChildren }) {
  const [code, setCode] = useState(() => initialLanguage(localStorage.getItem(item), navigator.languages));
  useEffect(() => {
    document.documentElement.lang = tags[code];
  }, [code]);
  const value = useMemo<Localisation>(
    () => ({
      code,
      t: languages[code],
      f: new Format(code === "zh" ? "zh-CN" : (navigator.languages.find((tag) => /^en\b/i.test(tag)) ?? "en")),
      choose: (next) => {
        localStorage.setItem(item, next);
        setCode(next);
      },
    }),
    [code],
  );
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useText(): Localisation {
  const value = useContext(Context);
  if (!value) {
    throw new Error("There is no language here.");
  }
  return value;
}
