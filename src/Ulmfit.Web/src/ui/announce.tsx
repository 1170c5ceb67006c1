import { useEffect, useState } from "preact/hooks";

type Listener = (text: string) => void;

let listener: Listener = () => {};

/** Tells people who do not see the page what has happened. */
export function announce(text: string): void {
  listener(text);
}

/** The live region. A text that comes twice is said twice. */
export function Announcer() {
  const [said, setSaid] = useState({ text: "", turn: 0 });
  useEffect(() => {
    listener = (text) => setSaid((before) => ({ text, turn: before.turn + 1 }));
    return () => (listener = () => {});
  }, []);
  return (
    <div class="hidden" role="status" aria-live="polite">
      <span key={said.turn}>{said.text}</span>
    </div>
  );
}
