import { Fragment } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { get, send } from "../api/client";
import type { Dataset, Drop, Run } from "../api/types";
import { useText } from "../i18n";
import { link } from "../router";
import { announce } from "../ui/announce";
import { useAwaiting, useCall, useResource } from "../ui/hooks";
import { Bar, Digest, Figure, Loaded, ProblemNotice, Table, Tag, type Tone } from "../ui/parts";
import { DropZone } from "./drop-zone";
import { RunTable } from "./runs";
import { DatasetState } from "./states";

const dropTones: Readonly<Record<Drop["status"], Tone>> = { pending: "accent", accepted: "plain", rejected: "bad" };

export function DatasetView({ name }: { readonly name: string }) {
  const { t } = useText();
  const path = `/api/datasets/${encodeURIComponent(name)}`;
  const dataset = useResource<Dataset>(path);
  const runs = useResource<{ runs: readonly Run[] }>(`/api/runs?dataset=${encodeURIComponent(name)}`);
  const [expecting, setExpecting] = useState(false);
  const value = dataset.value;

  // Rows are checked, and a run begins, without a message: both are looked for until they are there.
  useAwaiting(value !== null && (value.status === "pending" || expecting), dataset.reload);
  const pending = value?.status === "pending";
  const active = value?.activeRun ?? null;
  useEffect(() => {
    if (active !== null) {
      setExpecting(false);
    } else if (pending) {
      setExpecting(true);
    }
  }, [active, pending]);
  useEffect(() => {
    // What the last file led to is known when its rows are checked and no run came of them for a while.
    if (!expecting || pending) {
      return;
    }
    const timer = window.setTimeout(() => setExpecting(false), 60000);
    return () => window.clearTimeout(timer);
  }, [expecting, pending]);
  useEffect(runs.reload, [active, pending]);

  return (
    <>
      <h1 tabIndex={-1}>{name}</h1>
      <Loaded of={dataset}>
        {(found) => (
          <>
            <p class="row">
              <DatasetState status={found.status} />
              {found.activeRun !== null && (
                <a class="button primary" href={link.run(found.activeRun)}>
                  {t.dataset.watch}
                </a>
              )}
            </p>
            {found.waiting && (
              <div class="notice bad" role="alert">
                <h2>{t.dataset.waiting}</h2>
                <p lang="en">{found.waiting.reason}</p>
                <p>{t.dataset.waitingText}</p>
              </div>
            )}
            {found.status === "refused" && found.reason !== null && (
              <div class="notice bad">
                <h2>{t.dataset.refused}</h2>
                <p lang="en">{found.reason}</p>
              </div>
            )}
            <Figures of={found} />
            {found.warnings.length > 0 && (
              <div class="notice">
                <h2>{t.dataset.warnings}</h2>
                <ul lang="en">
                  {found.warnings.map((warning) => (
                    <li key={warning}>{warning}</li>
                  ))}
                </ul>
              </div>
            )}
            <section aria-labelledby="drops">
              <h2 id="drops">{t.dataset.dropsTitle}</h2>
              <Drops of={found.drops} />
              {found.unlabeled.length > 0 && (
                <>
                  <h3>{t.dataset.unlabeled}</h3>
                  <Drops of={found.unlabeled} />
                </>
              )}
              <DropZone
                dataset={name}
                onSent={() => {
                  setExpecting(true);
                  dataset.reload();
                }}
              />
            </section>
            <section aria-labelledby="runs">
              <h2 id="runs">{t.dataset.runsTitle}</h2>
              <Loaded of={runs}>{(all) => (all.runs.length === 0 ? <p class="soft">{t.dataset.runsNone}</p> : <RunTable runs={all.runs} dataset={false} />)}</Loaded>
              <StartRun of={found} />
            </section>
            {found.classes.length > 0 && <Classes of={found} />}
            {found.versions.length > 0 && <Versions of={found} />}
            <Settings name={name} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Figures({ of: found }: { readonly of: Dataset }) {
  const { t, f } = useText();
  const further: [string, number][] = [
    [t.dataset.unlabeled, found.unlabeledRows],
    [t.dataset.duplicates, found.duplicates],
    [t.dataset.contradictions, found.contradictions],
    [t.dataset.corrected, found.corrected],
    [t.dataset.feedback, found.feedbackWaiting],
  ];
  return (
    <dl class="figures">
      <Figure name={t.dataset.rows} value={f.count(found.rows)} note={found.version === null ? undefined : `${t.dataset.version} ${found.version}`} />
      <Figure name={t.dataset.train} value={f.count(found.trainRows)} />
      <Figure name={t.dataset.heldOut} value={f.count(found.heldOutRows)} />
      {further
        .filter(([, count]) => count > 0)
        .map(([name, count]) => (
          <Figure key={name} name={name} value={f.count(count)} />
        ))}
    </dl>
  );
}

function Drops({ of: drops }: { readonly of: readonly Drop[] }) {
  const { t, f } = useText();
  if (drops.length === 0) {
    return <p class="soft">{t.dataset.dropsNone}</p>;
  }
  return (
    <Table caption={t.dataset.dropsTitle}>
      <thead>
        <tr>
          <th scope="col">{t.dataset.file}</th>
          <th scope="col">{t.dataset.state}</th>
          <th scope="col" class="number">
            {t.dataset.accepted}
          </th>
          <th scope="col" class="number">
            {t.dataset.rejected}
          </th>
          <th scope="col" class="number">
            {t.dataset.size}
          </th>
        </tr>
      </thead>
      <tbody>
        {drops.map((drop) => (
          <Fragment key={drop.name}>
            <tr data-drop={drop.name}>
              <th scope="row">{drop.name}</th>
              <td>
                <Tag tone={dropTones[drop.status]}>{drop.status === "rejected" ? t.statuses.rejectedDrop : t.statuses[drop.status]}</Tag>
              </td>
              <td class="number">{drop.status === "pending" ? "…" : f.count(drop.accepted)}</td>
              <td class="number">{drop.status === "pending" ? "…" : f.count(drop.rejected)}</td>
              <td class="number">{f.bytes(drop.bytes)}</td>
            </tr>
            {drop.errors.length > 0 && (
              <tr class="detail">
                <td colSpan={5}>
                  <Reasons of={drop} />
                </td>
              </tr>
            )}
          </Fragment>
        ))}
      </tbody>
    </Table>
  );
}

function Reasons({ of: drop }: { readonly of: Drop }) {
  const { t, f } = useText();
  const title = drop.status === "rejected" ? t.dataset.reasonFile : drop.errors.length < drop.rejected ? t.dataset.reasonsSome(drop.errors.length, drop.rejected) : t.dataset.reasons(drop.rejected);
  return (
    <details open={drop.status === "rejected" || drop.errors.length <= 5}>
      <summary>{title}</summary>
      <table class="reasons">
        <caption class="hidden">
          {title}: {drop.name}
        </caption>
        <thead>
          <tr>
            <th scope="col" class="number">
              {t.dataset.line}
            </th>
            <th scope="col">{t.dataset.reason}</th>
          </tr>
        </thead>
        <tbody>
          {drop.errors.map((fault, index) => (
            <tr key={index}>
              <td class="number">{f.count(fault.line)}</td>
              <td lang="en" class="wrap">
                {fault.reason}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function StartRun({ of: found }: { readonly of: Dataset }) {
  const { t } = useText();
  const call = useCall();
  if (found.activeRun !== null || found.drops.length === 0) {
    return null;
  }
  const start = (): Promise<void> =>
    call.run(async () => {
      const run = await get<Run>(`/api/datasets/${encodeURIComponent(found.dataset)}/runs`, { method: "POST" });
      location.hash = link.run(run.id);
    });
  return (
    <>
      <p>
        <button type="button" disabled={call.busy} onClick={() => void start()}>
          {call.busy ? t.dataset.starting : t.dataset.startRun}
        </button>
      </p>
      {call.problem && <ProblemNotice problem={call.problem}>{call.problem.body.run && <a href={link.run(call.problem.body.run)}>{t.dataset.watch}</a>}</ProblemNotice>}
    </>
  );
}

function Classes({ of: found }: { readonly of: Dataset }) {
  const { t, f } = useText();
  const most = Math.max(...found.classes.map((one) => one.train + one.heldOut));
  return (
    <section aria-labelledby="classes">
      <h2 id="classes">{t.dataset.classesTitle}</h2>
      <Table caption={t.dataset.classesCaption}>
        <thead>
          <tr>
            <th scope="col">{t.dataset.label}</th>
            <th scope="col" class="number">
              {t.dataset.train}
            </th>
            <th scope="col" class="number">
              {t.dataset.heldOut}
            </th>
            <td />
          </tr>
        </thead>
        <tbody>
          {found.classes.map((one) => (
            <tr key={one.label}>
              <th scope="row">{one.label}</th>
              <td class="number">{f.count(one.train)}</td>
              <td class="number">{f.count(one.heldOut)}</td>
              <td class="bars">
                <Bar share={(one.train + one.heldOut) / most} />
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
    </section>
  );
}

function Versions({ of: found }: { readonly of: Dataset }) {
  const { t, f } = useText();
  return (
    <section aria-labelledby="versions">
      <h2 id="versions">{t.dataset.versionsTitle}</h2>
      <Table caption={t.dataset.versionsCaption}>
        <thead>
          <tr>
            <th scope="col" class="number">
              {t.dataset.version}
            </th>
            <th scope="col">{t.dataset.created}</th>
            <th scope="col" class="number">
              {t.dataset.train}
            </th>
            <th scope="col" class="number">
              {t.dataset.heldOut}
            </th>
            <th scope="col" class="number">
              {t.dataset.unlabeled}
            </th>
            <th scope="col">{t.dataset.digest}</th>
          </tr>
        </thead>
        <tbody>
          {[...found.versions].reverse().map((version) => (
            <tr key={version.version}>
              <th scope="row" class="number">
                {version.version}
              </th>
              <td class="date">{f.at(version.createdAt)}</td>
              <td class="number">{f.count(version.trainRows)}</td>
              <td class="number">{f.count(version.heldOutRows)}</td>
              <td class="number">{f.count(version.unlabeledRows)}</td>
              <td>
                <Digest value={version.digest} />
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
    </section>
  );
}

function Settings({ name }: { readonly name: string }) {
  const { t } = useText();
  const [open, setOpen] = useState(false);
  return (
    <section>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <h2>{t.dataset.settingsTitle}</h2>
        </summary>
        {open && <SettingsForm name={name} />}
      </details>
    </section>
  );
}

function SettingsForm({ name }: { readonly name: string }) {
  const { t } = useText();
  const id = useId();
  const path = `/api/datasets/${encodeURIComponent(name)}/settings`;
  const settings = useResource<unknown>(path);
  const [text, setText] = useState<string | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const [saved, setSaved] = useState(false);
  const call = useCall();
  const save = (value: string): void => {
    setSaved(false);
    call.clear();
    try {
      JSON.parse(value);
    } catch (error) {
      setWrong(`${t.dataset.notJson} ${error instanceof Error ? error.message : ""}`);
      return;
    }
    setWrong(null);
    void call.run(async () => {
      const answer = await send(path, { method: "PUT", body: value });
      setText(JSON.stringify(await answer.json(), null, 2));
      setSaved(true);
      announce(t.dataset.saved);
    });
  };
  return (
    <Loaded of={settings}>
      {(value) => {
        const shown = text ?? JSON.stringify(value, null, 2);
        return (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              save(shown);
            }}
          >
            <p id={`${id}-hint`} class="soft">
              {t.dataset.settingsText}
            </p>
            <label for={id}>{t.dataset.settingsLabel}</label>
            <textarea id={id} class="mono" rows={16} spellcheck={false} aria-describedby={`${id}-hint`} aria-invalid={wrong !== null} value={shown} onInput={(event) => setText(event.currentTarget.value)} />
            {wrong && (
              <p class="field-error" role="alert">
                {wrong}
              </p>
            )}
            {call.problem && <ProblemNotice problem={call.problem} />}
            <p class="row">
              <button type="submit" class="primary" disabled={call.busy}>
                {call.busy ? t.dataset.saving : t.dataset.save}
              </button>
              {saved && <span>{t.dataset.saved}</span>}
            </p>
          </form>
        );
      }}
    </Loaded>
  );
}
