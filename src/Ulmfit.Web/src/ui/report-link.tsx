import type { ComponentChildren } from "preact";
import { keys, send } from "../api/client";
import { useCall } from "./hooks";
import { ProblemNotice } from "./parts";

/**
 * A link to a report. A link sends no key, and a key in an address ends up in logs and histories: where one is needed, the report is
 * fetched with it and saved as a file.
 */
export function ReportLink({ path, file, children }: { readonly path: string; readonly file: string; readonly children: ComponentChildren }) {
  const call = useCall();
  if (keys.current === null) {
    return (
      <a href={path} target="_blank" rel="noopener">
        {children}
      </a>
    );
  }
  const save = async (): Promise<void> => {
    const answer = await send(path, { headers: { accept: "text/html" } });
    const address = URL.createObjectURL(await answer.blob());
    const link = document.createElement("a");
    link.href = address;
    link.download = file;
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <>
      <button type="button" class="link" disabled={call.busy} onClick={() => void call.run(save)}>
        {children}
      </button>
      {call.problem && <ProblemNotice problem={call.problem} />}
    </>
  );
}
