import { useId, useState } from "preact/hooks";
import { keys } from "../api/client";
import { useText } from "../i18n";
import { write, type ApiCall, type Language } from "../logic/calls";
import { CopyButton } from "./parts";

const item = "ulmfit.call-language";
const order: readonly Language[] = ["curl", "fetch", "csharp"];

function remembered(): Language {
  const found = localStorage.getItem(item);
  return order.find((language) => language === found) ?? "fetch";
}

/** A call that can be copied, in the language that was chosen last. */
export function CallBox({ call }: { readonly call: ApiCall }) {
  const { t } = useText();
  const id = useId();
  const [language, setLanguage] = useState(remembered);
  const text = write(call, language, location.origin, keys.current !== null);
  const choose = (next: Language): void => {
    localStorage.setItem(item, next);
    setLanguage(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      const next = order[(order.indexOf(language) + step + order.length) % order.length]!;
      choose(next);
      document.getElementById(`${id}-${next}`)?.focus();
    }
  };
  return (
    <div class="call">
      <div class="row between">
        <div role="tablist" aria-label={t.call.tabs} class="tabs" onKeyDown={onKeyDown}>
          {order.map((one) => (
            <button key={one} id={`${id}-${one}`} type="button" role="tab" aria-selected={one === language} aria-controls={`${id}-panel`} tabIndex={one === language ? 0 : -1} onClick={() => choose(one)}>
              {t.call[one]}
            </button>
          ))}
        </div>
        <CopyButton text={text} label={t.call.copyOf(t.call[language])} />
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${language}`} tabIndex={0} class="code">
        <pre>
          <code>{text}</code>
        </pre>
      </div>
    </div>
  );
}
