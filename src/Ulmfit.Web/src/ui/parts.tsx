import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Problem } from "../api/client";
import { useText } from "../i18n";
import { announce } from "./announce";
import type { Resource } from "./hooks";

/** A problem with what to do about it. */
export function ProblemNotice({ problem, retry, children }: { readonly problem: Problem; readonly retry?: (() => void) | undefined; readonly children?: ComponentChildren }) {
  const { t } = useText();
  const advice = problem.retryAfterSeconds !== null ? t.problem.retryAfter(problem.retryAfterSeconds) : (t.problem.advice[problem.kind] ?? t.problem.adviceOther);
  return (
    <div class="notice bad" role="alert" data-problem={problem.kind}>
      <h2>{t.problem.titles[problem.kind] ?? problem.body.title ?? t.problem.label}</h2>
      {problem.message !== "" && <p lang="en">{problem.message}</p>}
      {problem.body.errors && (
        <ul lang="en">
          {problem.body.errors.map((error) => (
            <li key={error.path}>
              <code>{error.path}</code> {error.message}
            </li>
          ))}
        </ul>
      )}
      <p>
        <strong>{t.problem.next}:</strong> {advice}
      </p>
      {(retry || children) && (
        <p class="row">
          {retry && (
            <button type="button" onClick={retry}>
              {t.reload}
            </button>
          )}
          {children}
        </p>
      )}
    </div>
  );
}

/** What stands at an address, or why it does not. */
export function Loaded<T>({ of, children }: { readonly of: Resource<T>; readonly children: (value: T) => ComponentChildren }) {
  const { t } = useText();
  return (
    <>
      {of.problem && <ProblemNotice problem={of.problem} retry={of.reload} />}
      {of.value !== null ? children(of.value) : of.loading && <p class="soft">{t.loading}</p>}
    </>
  );
}

/** A table that scrolls by itself where it is wider than the screen, or higher than its kind allows. */
export function Table({ caption, showCaption = false, class: kind = "", children }: { readonly caption: string; readonly showCaption?: boolean; readonly class?: string; readonly children: ComponentChildren }) {
  const id = useId();
  const frame = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const element = frame.current;
    if (!element) {
      return;
    }
    const watch = new ResizeObserver(() => setScrolls(element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1));
    watch.observe(element);
    watch.observe(element.querySelector("table")!);
    return () => watch.disconnect();
  }, []);
  // Only what scrolls is a stop for the keyboard.
  const region = scrolls ? ({ role: "region", tabIndex: 0, "aria-labelledby": id } as const) : {};
  return (
    <div class={`table ${kind}`} ref={frame} {...region}>
      <table>
        <caption id={id} class={showCaption ? "" : "hidden"}>
          {caption}
        </caption>
        {children}
      </table>
    </div>
  );
}

export type Tone = "plain" | "accent" | "bad" | "quiet";

/** A short state. Its words say it; the colour only helps. */
export function Tag({ tone = "plain", children }: { readonly tone?: Tone; readonly children: ComponentChildren }) {
  return <span class={`tag ${tone}`}>{children}</span>;
}

/** A bar for a share from 0 to 1. */
export function Progress({ share, label, class: kind = "", epochs = 0 }: { readonly share: number; readonly label: string; readonly class?: string; readonly epochs?: number }) {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10;
  return (
    <div class={`bar ${kind}`} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
      <div style={{ width: `${percent}%` }} />
      {epochs > 1 && epochs <= 60 && <div class="ticks" aria-hidden="true" style={{ backgroundSize: `${100 / epochs}% 100%` }} />}
    </div>
  );
}

/** A bar of a bar chart; the number stands beside it. */
export function Bar({ share, class: kind = "" }: { readonly share: number; readonly class?: string }) {
  return (
    <span class={`bar ${kind}`} aria-hidden="true">
      <span style={{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }} />
    </span>
  );
}

/** A dialog that keeps the focus until it is answered, and gives it back. */
export function Dialog({ title, onClose, children }: { readonly title: string; readonly onClose: () => void; readonly children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) {
        before.focus();
      }
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

/** Asks before something is done. */
export function Confirm(props: { readonly title: string; readonly text: string; readonly yes: string; readonly no: string; readonly busy: boolean; readonly bad?: boolean; readonly problem?: Problem | null; readonly onYes: () => void; readonly onNo: () => void }) {
  return (
    <Dialog title={props.title} onClose={props.onNo}>
      <p>{props.text}</p>
      {props.problem && <ProblemNotice problem={props.problem} />}
      <p class="row end">
        {/* The harmless answer has the focus. */}
        <button type="button" autofocus onClick={props.onNo}>
          {props.no}
        </button>
        <button type="button" class={props.bad ? "primary bad" : "primary"} disabled={props.busy} onClick={props.onYes}>
          {props.yes}
        </button>
      </p>
    </Dialog>
  );
}

/** Copies a text, and says so. */
export function CopyButton({ text, label }: { readonly text: string; readonly label?: string }) {
  const { t } = useText();
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) {
      return;
    }
    const timer = window.setTimeout(() => setDone(false), 2000);
    return () => window.clearTimeout(timer);
  }, [done]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
      announce(t.copied);
    } catch {
      announce(t.copyFailed);
    }
  };
  return (
    <button type="button" class="small" aria-label={label} onClick={() => void copy()}>
      {done ? t.copied : t.copy}
    </button>
  );
}

/** A number with what it counts. */
export function Figure({ value, name, note }: { readonly value: ComponentChildren; readonly name: string; readonly note?: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {note && <span class="note">{note}</span>}
      </dd>
    </div>
  );
}

/** A digest, short; the whole of it on demand. */
export function Digest({ value }: { readonly value: string }) {
  return (
    <code class="digest" title={value}>
      {value.slice(0, 10)}
    </code>
  );
}
