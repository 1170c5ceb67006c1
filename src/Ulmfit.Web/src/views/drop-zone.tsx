import { useEffect, useId, useRef, useState } from "preact/hooks";
import { send } from "../api/client";
import { useText } from "../i18n";
import { datasetName, dropName, isDropFile, nextDropName, suggestDataset } from "../logic/names";
import { announce } from "../ui/announce";
import { useCall } from "../ui/hooks";
import { ProblemNotice } from "../ui/parts";

interface Props {
  /** The data set that files go to; null where it is to be named. */
  readonly dataset: string | null;
  /** A file is stored. */
  readonly onSent: (dataset: string, drop: string) => void;
}

/** Takes a file by dragging (anywhere on the page) or by choosing, and sends it as a drop. */
export function DropZone({ dataset, onSent }: Props) {
  const { t, f } = useText();
  const input = useRef<HTMLInputElement>(null);
  const nameInput = useRef<HTMLInputElement>(null);
  const id = useId();
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState("");
  const [drop, setDrop] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const [told, setTold] = useState<string | null>(null);
  const [over, setOver] = useState(false);
  const call = useCall();

  const upload = (chosen: File, to: string, as: string): Promise<void> =>
    call.run(async () => {
      announce(t.drop.sending(as));
      const answer = await send(`/api/datasets/${encodeURIComponent(to)}/drops/${encodeURIComponent(as)}`, { method: "PUT", body: chosen });
      const said = answer.status === 201 ? t.drop.sent(as) : t.drop.same(as);
      setTold(said);
      announce(said);
      setFile(null);
      onSent(to, as);
    });

  const take = (chosen: File | undefined): void => {
    if (!chosen) {
      return;
    }
    call.clear();
    setTold(null);
    if (!isDropFile(chosen.name)) {
      setWrong(t.drop.badFile(chosen.name));
      setFile(null);
      return;
    }
    setWrong(null);
    const as = dropName(chosen.name);
    setDrop(as);
    setFile(chosen);
    if (dataset !== null) {
      void upload(chosen, dataset, as);
    } else if (name === "") {
      setName(suggestDataset(chosen.name));
    }
  };
  const latest = useRef(take);
  latest.current = take;

  // The whole page is the target: whoever misses the box would leave the page for the file.
  useEffect(() => {
    const isFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
    const onOver = (event: DragEvent): void => {
      if (isFile(event)) {
        event.preventDefault();
        setOver(true);
      }
    };
    const onLeave = (event: DragEvent): void => {
      if (event.relatedTarget === null) {
        setOver(false);
      }
    };
    const onDrop = (event: DragEvent): void => {
      if (isFile(event)) {
        event.preventDefault();
        setOver(false);
        latest.current(event.dataTransfer?.files[0]);
      }
    };
    window.addEventListener("dragover", onOver);
    window.addEventListener("dragleave", onLeave);
    window.addEventListener("drop", onDrop);
    return () => {
      window.removeEventListener("dragover", onOver);
      window.removeEventListener("dragleave", onLeave);
      window.removeEventListener("drop", onDrop);
    };
  }, []);

  // With a file chosen, the next thing to say is the name.
  useEffect(() => {
    if (file !== null && dataset === null) {
      nameInput.current?.focus();
      nameInput.current?.select();
    }
  }, [file, dataset]);

  const goodName = datasetName.test(name);
  return (
    <div class={over ? "drop over" : "drop"}>
      <p class="target">
        {over ? (
          t.drop.overlay
        ) : (
          <>
            {t.drop.target}{" "}
            <label class="button" for={`${id}-file`}>
              {t.drop.choose}
            </label>
          </>
        )}
      </p>
      <p class="soft">{t.drop.formats}</p>
      <input
        ref={input}
        id={`${id}-file`}
        class="file"
        type="file"
        accept=".csv,.tsv,.jsonl,.gz"
        disabled={call.busy}
        onChange={(event) => {
          take(event.currentTarget.files?.[0]);
          event.currentTarget.value = "";
        }}
      />
      {wrong && (
        <p class="field-error" role="alert">
          {wrong}
        </p>
      )}
      {call.busy && <p class="soft">{t.drop.sending(drop)}</p>}
      {told && !call.busy && <p>{told}</p>}
      {file && dataset === null && !call.busy && (
        <form
          class="name-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (goodName) {
              void upload(file, name, drop);
            } else {
              nameInput.current?.focus();
            }
          }}
        >
          <p>{t.drop.chosen(file.name, f.bytes(file.size))}</p>
          <label for={`${id}-name`}>{t.drop.datasetLabel}</label>
          <div class="row">
            <input
              ref={nameInput}
              id={`${id}-name`}
              value={name}
              autocomplete="off"
              spellcheck={false}
              aria-describedby={`${id}-hint`}
              aria-invalid={!goodName}
              onInput={(event) => setName(event.currentTarget.value)}
            />
            <button type="submit" class="primary">
              {t.drop.send}
            </button>
          </div>
          <p id={`${id}-hint`} class={goodName ? "soft" : "field-error"}>
            {goodName ? t.drop.datasetHint : t.drop.badName}
          </p>
        </form>
      )}
      {call.problem && (
        <ProblemNotice problem={call.problem}>
          {call.problem.kind === "drop-exists" && file && (
            <button
              type="button"
              onClick={() => {
                const next = nextDropName(drop);
                setDrop(next);
                void upload(file, dataset ?? name, next);
              }}
            >
              {t.drop.sendAs(nextDropName(drop))}
            </button>
          )}
        </ProblemNotice>
      )}
    </div>
  );
}
