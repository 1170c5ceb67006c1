import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { get, Problem } from "../api/client";
import type { Classified, Explained, Explanation, LabelScore, Model } from "../api/types";
import { useText } from "../i18n";
import { answerOf, piecesOf, strongest } from "../logic/explain";
import { link } from "../router";
import { announce } from "../ui/announce";
import { CallBox } from "../ui/calls";
import { useCall, useResource } from "../ui/hooks";
import { Bar, Loaded, ProblemNotice, Table } from "../ui/parts";

const pause = 250;
const shownClasses = 8;
const shownWords = 10;

export function TryView({ model: asked }: { readonly model: string | null }) {
  const { t } = useText();
  const models = useResource<{ models: readonly Model[] }>("/api/models");
  return (
    <>
      <h1 tabIndex={-1}>{t.tryIt.title}</h1>
      <Loaded of={models}>
        {({ models: all }) => {
          const answering = all.filter((model) => model.champion !== null);
          const model = answering.find((one) => one.model === asked) ?? (asked === null ? answering[0] : undefined);
          if (answering.length === 0) {
            return (
              <>
                <p class="lead">{t.tryIt.none}</p>
                <p>
                  <a class="button primary" href={link.datasets}>
                    {t.tryIt.noneLink}
                  </a>
                </p>
              </>
            );
          }
          return model ? <TryBox key={model.model} model={model} all={answering} /> : <ProblemNotice problem={new Problem(404, { type: "urn:ulmfit:problem:model-not-found" })} />;
        }}
      </Loaded>
    </>
  );
}

/** Asks with an explanation; of a text that is too long for one, without. */
async function classify(path: string, text: string, version: number | null, signal: AbortSignal): Promise<Classified> {
  const ask = (explain: boolean): Promise<Classified> =>
    get<Classified>(path, { method: "POST", json: { inputs: text, parameters: { ...(explain ? { explain } : {}), ...(version === null ? {} : { version }) } }, signal });
  try {
    return await ask(true);
  } catch (error) {
    if (error instanceof Problem && error.kind === "too-large") {
      return ask(false);
    }
    throw error;
  }
}

interface Answer {
  readonly text: string;
  readonly version: number;
  readonly explained: Explained;
}

function TryBox({ model, all }: { readonly model: Model; readonly all: readonly Model[] }) {
  const { t, f } = useText();
  const id = useId();
  const [text, setText] = useState("");
  const [version, setVersion] = useState<number | null>(null);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const path = `/api/models/${encodeURIComponent(model.model)}/classify`;
  const trimmed = text.trim();

  useEffect(() => {
    if (trimmed === "") {
      setAnswer(null);
      setProblem(null);
      setBusy(false);
      return;
    }
    const stop = new AbortController();
    setBusy(true);
    const timer = window.setTimeout(() => {
      classify(path, text, version, stop.signal)
        .then((classified) => {
          const explained = answerOf(classified);
          setAnswer({ text, version: classified.version, explained });
          setProblem(null);
          const best = explained.predictions[0];
          if (best?.label) {
            announce(t.tryIt.announce(best.label, f.share(best.score)));
          }
        })
        .catch((error: unknown) => {
          if (!stop.signal.aborted) {
            setProblem(Problem.from(error));
          }
        })
        .finally(() => {
          if (!stop.signal.aborted) {
            setBusy(false);
          }
        });
    }, pause);
    return () => {
      window.clearTimeout(timer);
      stop.abort();
    };
  }, [trimmed, version, path]);

  return (
    <>
      <p class="lead">{t.tryIt.lead}</p>
      <div class="row fields">
        <div>
          <label for={`${id}-model`}>{t.tryIt.model}</label>
          <select id={`${id}-model`} value={model.model} onChange={(event) => (location.hash = link.tryIt(event.currentTarget.value))}>
            {all.map((one) => (
              <option key={one.model} value={one.model}>
                {one.model}
              </option>
            ))}
          </select>
        </div>
        <div>
          <label for={`${id}-version`}>{t.tryIt.version}</label>
          <select id={`${id}-version`} value={version ?? ""} onChange={(event) => setVersion(event.currentTarget.value === "" ? null : Number(event.currentTarget.value))}>
            <option value="">{t.tryIt.champion(model.champion ?? 0)}</option>
            {[...model.versions].reverse().map((one) => (
              <option key={one.version} value={one.version}>
                {one.version}
              </option>
            ))}
          </select>
        </div>
      </div>
      <label for={`${id}-text`}>{t.tryIt.text}</label>
      <textarea id={`${id}-text`} rows={4} placeholder={t.tryIt.placeholder} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      {problem && <ProblemNotice problem={problem} />}
      <section aria-labelledby={`${id}-result`} aria-busy={busy} class={busy ? "result busy" : "result"}>
        <h2 id={`${id}-result`}>{t.tryIt.resultTitle}</h2>
        {answer === null ? (
          <p class="soft">{busy ? t.tryIt.busy : t.tryIt.waiting}</p>
        ) : (
          <>
            <Classes of={answer.explained.predictions} />
            <p class="soft">{t.tryIt.answeredBy(model.model, answer.version)}</p>
            {answer.explained.explanation ? <Words text={answer.text} of={answer.explained.explanation} /> : <p class="soft">{t.tryIt.notExplained}</p>}
            <Feedback key={answer.text} model={model.model} text={answer.text} labels={answer.explained.predictions} />
          </>
        )}
      </section>
      <section aria-labelledby={`${id}-call`}>
        <h2 id={`${id}-call`}>{t.tryIt.callTitle}</h2>
        <CallBox call={{ method: "POST", path, body: { inputs: trimmed === "" ? "…" : text, parameters: { top_k: 3, ...(version === null ? {} : { version }) } } }} />
      </section>
    </>
  );
}

function Classes({ of: predictions }: { readonly of: readonly LabelScore[] }) {
  const { t, f } = useText();
  const [more, setMore] = useState(false);
  const labelled = predictions.filter((one) => one.label !== null);
  const shown = more ? labelled : labelled.slice(0, shownClasses);
  return (
    <>
      <ol class="classes" aria-label={t.tryIt.classes}>
        {shown.map((one, index) => (
          <li key={one.label} class={index === 0 ? "best" : ""}>
            <span class="label">{one.label}</span>
            <Bar share={one.score} />
            <span class="number">{f.share(one.score)}</span>
          </li>
        ))}
      </ol>
      {labelled.length > shown.length && (
        <button type="button" class="link" onClick={() => setMore(true)}>
          {t.tryIt.more(labelled.length - shown.length)}
        </button>
      )}
    </>
  );
}

function Words({ text, of: explanation }: { readonly text: string; readonly of: Explanation }) {
  const { t, f } = useText();
  const pieces = useMemo(() => piecesOf(text, explanation.tokens), [text, explanation]);
  const words = useMemo(() => strongest(pieces, shownWords), [pieces]);
  const greatest = Math.abs(words[0]?.contribution ?? 0);
  if (greatest === 0) {
    return <p class="soft">{t.tryIt.noWords}</p>;
  }
  return (
    <>
      <h3>{t.tryIt.wordsTitle}</h3>
      <p class="soft">{t.tryIt.wordsFor(explanation.label)}</p>
      <p class="words">
        {pieces.map((piece, index) =>
          piece.contribution === null || piece.contribution === 0 ? (
            <span key={index}>{piece.text}</span>
          ) : (
            <span key={index} class={piece.contribution > 0 ? "for" : "against"} style={{ "--share": Math.abs(piece.contribution) / greatest }} title={f.signed(piece.contribution)}>
              {piece.text}
            </span>
          ),
        )}
      </p>
      <Table caption={t.tryIt.wordsCaption(explanation.label)}>
        <thead>
          <tr>
            <th scope="col">{t.tryIt.word}</th>
            <th scope="col" class="number">
              {t.tryIt.contribution}
            </th>
            <td />
          </tr>
        </thead>
        <tbody>
          {words.map((word, index) => (
            <tr key={index}>
              <th scope="row">{word.text}</th>
              <td class="number">{f.signed(word.contribution)}</td>
              <td class="bars">
                <span class={word.contribution > 0 ? "diverging for" : "diverging against"} aria-hidden="true">
                  <span style={{ width: `${(50 * Math.abs(word.contribution)) / greatest}%` }} />
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      <p class="soft">{t.tryIt.method(explanation.method)}</p>
    </>
  );
}

function Feedback({ model, text, labels }: { readonly model: string; readonly text: string; readonly labels: readonly LabelScore[] }) {
  const { t } = useText();
  const id = useId();
  const names = labels.map((one) => one.label).filter((label): label is string => label !== null);
  const [label, setLabel] = useState(names[1] ?? names[0] ?? "");
  const [waiting, setWaiting] = useState<number | null>(null);
  const call = useCall();
  // One correction of a text counts once, however often the button is pressed or the network asks again.
  const key = useRef(crypto.randomUUID());
  const submit = (): Promise<void> =>
    call.run(async () => {
      const receipt = await get<{ waiting: number }>(`/api/models/${encodeURIComponent(model)}/feedback`, { method: "POST", json: { text, label }, headers: { "idempotency-key": key.current } });
      setWaiting(receipt.waiting);
      announce(t.tryIt.feedbackSent(receipt.waiting));
    });
  return (
    <details class="feedback">
      <summary>{t.tryIt.feedbackTitle}</summary>
      {waiting !== null ? (
        <p>{t.tryIt.feedbackSent(waiting)}</p>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void submit();
          }}
        >
          <p class="soft">{t.tryIt.feedbackText}</p>
          <label for={id}>{t.tryIt.rightLabel}</label>
          <div class="row">
            <select
              id={id}
              value={label}
              onChange={(event) => {
                setLabel(event.currentTarget.value);
                key.current = crypto.randomUUID();
              }}
            >
              {[...names].sort().map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
            <button type="submit" disabled={call.busy}>
              {t.tryIt.sendFeedback}
            </button>
          </div>
          {call.problem && <ProblemNotice problem={call.problem} />}
        </form>
      )}
    </details>
  );
}
