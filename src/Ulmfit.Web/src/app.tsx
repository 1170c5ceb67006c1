import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { keys } from "./api/client";
import { languages, useText, type LanguageCode } from "./i18n";
import { link, parseRoute, type Route } from "./router";
import { applyTheme, currentTheme, type Theme } from "./theme";
import { announce, Announcer } from "./ui/announce";
import { Dialog } from "./ui/parts";
import { ApiView } from "./views/api";
import { DatasetView } from "./views/dataset";
import { DatasetsView } from "./views/datasets";
import { ModelView } from "./views/model";
import { ModelsView } from "./views/models";
import { RunView } from "./views/run";
import { RunsView } from "./views/runs";
import { TryView } from "./views/try";

export function App() {
  const { t } = useText();
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    const changed = (): void => {
      // The skip link and the like point into the view and lead to no other.
      if (location.hash === "" || location.hash.startsWith("#/")) {
        setRoute(parseRoute(location.hash));
      }
    };
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  const address = JSON.stringify(route);
  const title = titleOf(route, t);
  useLayoutEffect(() => {
    document.title = title === null ? t.title : `${title} · ${t.title}`;
  }, [title, t]);
  useLayoutEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    // A new view begins at its heading, for eyes and ears alike, from its first picture on.
    window.scrollTo(0, 0);
    main.current?.querySelector("h1")?.focus({ preventScroll: true });
  }, [address]);
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {t.skip}
      </a>
      <Header route={route} />
      <main id="main" ref={main} tabIndex={-1}>
        <View key={address} of={route} />
      </main>
      <Announcer />
      <KeyDialog />
    </>
  );
}

function titleOf(route: Route, t: ReturnType<typeof useText>["t"]): string | null {
  switch (route.view) {
    case "datasets":
      return t.datasets.title;
    case "dataset":
    case "model":
      return route.name;
    case "runs":
      return t.runs.title;
    case "run":
      return t.run.title(route.id);
    case "models":
      return t.models.title;
    case "try":
      return t.tryIt.title;
    case "api":
      return t.api.title;
    case "unknown":
      return null;
  }
}

function View({ of: route }: { readonly of: Route }) {
  const { t } = useText();
  switch (route.view) {
    case "datasets":
      return <DatasetsView />;
    case "dataset":
      return <DatasetView name={route.name} />;
    case "runs":
      return <RunsView />;
    case "run":
      return <RunView id={route.id} />;
    case "models":
      return <ModelsView />;
    case "model":
      return <ModelView name={route.name} />;
    case "try":
      return <TryView model={route.model} />;
    case "api":
      return <ApiView />;
    case "unknown":
      return (
        <>
          <h1 tabIndex={-1}>{t.unknownView.title}</h1>
          <p>{t.unknownView.text}</p>
          <p>
            <a href={link.datasets}>{t.unknownView.back}</a>
          </p>
        </>
      );
  }
}

function Header({ route }: { readonly route: Route }) {
  const { t } = useText();
  const items: readonly { readonly href: string; readonly name: string; readonly views: readonly Route["view"][] }[] = [
    { href: link.datasets, name: t.nav.datasets, views: ["datasets", "dataset"] },
    { href: link.runs, name: t.nav.runs, views: ["runs", "run"] },
    { href: link.models, name: t.nav.models, views: ["models", "model"] },
    { href: link.tryIt(), name: t.nav.tryIt, views: ["try"] },
    { href: link.api, name: t.nav.api, views: ["api"] },
  ];
  return (
    <header>
      <a class="brand" href={link.datasets}>
        {t.title}
      </a>
      <nav aria-label={t.nav.label}>
        <ul>
          {items.map((item) => (
            <li key={item.href}>
              <a href={item.href} aria-current={item.views.includes(route.view) ? "page" : undefined}>
                {item.name}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <Tools />
    </header>
  );
}

function Tools() {
  const { t, code, choose } = useText();
  const id = useId();
  const [theme, setTheme] = useState(currentTheme);
  const [hasKey, setHasKey] = useState(keys.current !== null);
  useEffect(() => keys.onChange(() => setHasKey(keys.current !== null)), []);
  return (
    <div class="tools">
      {hasKey && (
        <button
          type="button"
          class="small"
          onClick={() => {
            keys.forget();
            announce(t.tools.keyForgotten);
          }}
        >
          {t.tools.forgetKey}
        </button>
      )}
      <label class="hidden" for={`${id}-theme`}>
        {t.tools.theme}
      </label>
      <select
        id={`${id}-theme`}
        value={theme}
        onChange={(event) => {
          const next = event.currentTarget.value as Theme;
          applyTheme(next);
          setTheme(next);
        }}
      >
        {(["auto", "light", "dark"] as const).map((one) => (
          <option key={one} value={one}>
            {t.tools.themes[one]}
          </option>
        ))}
      </select>
      <label class="hidden" for={`${id}-language`}>
        {t.tools.language}
      </label>
      <select id={`${id}-language`} value={code} onChange={(event) => choose(event.currentTarget.value as LanguageCode)}>
        {(Object.keys(languages) as LanguageCode[]).map((one) => (
          <option key={one} value={one} lang={one}>
            {languages[one].language}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Asks for a key where the host wants one; calls wait meanwhile. */
function KeyDialog() {
  const { t } = useText();
  const id = useId();
  const [question, setQuestion] = useState<{ readonly refused: boolean; answer(key: string | null): void } | null>(null);
  const [value, setValue] = useState("");
  useEffect(() => {
    keys.askWith(
      (refused) =>
        new Promise((resolve) =>
          setQuestion({
            refused,
            answer: (key) => {
              setQuestion(null);
              setValue("");
              resolve(key);
            },
          }),
        ),
    );
  }, []);
  if (question === null) {
    return null;
  }
  return (
    <Dialog title={t.key.title} onClose={() => question.answer(null)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (value.trim() !== "") {
            question.answer(value.trim());
          }
        }}
      >
        {question.refused && (
          <p class="field-error" role="alert">
            {t.key.refused}
          </p>
        )}
        <p>{t.key.text}</p>
        <label for={id}>{t.key.label}</label>
        <input id={id} type="password" autocomplete="off" spellcheck={false} autofocus required value={value} onInput={(event) => setValue(event.currentTarget.value)} />
        <p class="row end">
          <button type="button" onClick={() => question.answer(null)}>
            {t.cancel}
          </button>
          <button type="submit" class="primary">
            {t.key.use}
          </button>
        </p>
      </form>
    </Dialog>
  );
}
