import { memo } from "../ui/memo";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Problem, send } from "../api/client";
import type { DirectionProgress, EpochRecord, PlannedStage, Report, Run, Scores, StageKind } from "../api/types";
import { isFinal, watchRun, type Connection } from "../api/watch";
import { useText } from "../i18n";
import { addLive, columnsOf, curvesOf, curvesOfReport, kindOf, stageIndexOf, type Curve, type LivePoint } from "../logic/curves";
import { outcomeOf } from "../logic/outcome";
import { link } from "../router";
import { announce } from "../ui/announce";
import { Chart } from "../ui/chart";
import { useCall, useNow, useResource } from "../ui/hooks";
import { Confirm, Figure, ProblemNotice, Progress, Table } from "../ui/parts";
import { ReportLink } from "../ui/report-link";
import { RunState } from "./states";

/** Epochs of the table at first. */
const shownEpochs = 40;

/** Progress is that of the training; a run goes on a little beyond it. */
const trained = 0.9995;

const networks: readonly StageKind[] = ["language-model", "classifier"];

export function RunView({ id }: { readonly id: string }) {
  const { t, f } = useText();
  const [run, setRun] = useState<Run | null>(null);
  const [live, setLive] = useState<readonly LivePoint[]>([]);
  const [connection, setConnection] = useState<Connection>("connecting");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    setProblem(null);
    return watchRun(id, {
      run: (next) => {
        setRun(next);
        setLive((points) => addLive(points, next));
      },
      connection: setConnection,
      failed: setProblem,
    });
  }, [id, turn]);
  useAnnouncements(run);
  const ended = run !== null && isFinal(run.status);
  const report = useResource<Report>(ended && run.report !== null ? `${run.report}?format=json` : null);
  const curves = useMemo(() => (run === null ? null : ended && report.value ? curvesOfReport(run, report.value) : curvesOf(run, live)), [run?.history, run?.plan, live, ended, report.value]);

  return (
    <>
      <h1 tabIndex={-1}>{t.run.title(id)}</h1>
      {problem && <ProblemNotice problem={problem} retry={() => setTurn((before) => before + 1)} />}
      {run === null ? (
        !problem && <p class="soft">{t.loading}</p>
      ) : (
        <>
          <p class="row" data-status={run.status}>
            <RunState status={run.status} />
            <span>
              {t.run.of}: <a href={link.dataset(run.dataset)}>{run.dataset}</a>
            </span>
            {!ended && <span class={`connection ${connection}`}>{t.run.connection[connection]}</span>}
          </p>
          {run.waiting && (
            <div class="notice bad" role="alert">
              <h2>{t.dataset.waiting}</h2>
              <p lang="en">{run.waiting.reason}</p>
              <p>{t.dataset.waitingText}</p>
            </div>
          )}
          {run.status === "failed" && (
            <div class="notice bad">
              <h2>{t.run.failedTitle}</h2>
              <p lang="en">{run.error}</p>
            </div>
          )}
          {run.status === "canceled" && <p>{t.run.canceledText}</p>}
          {ended ? run.metrics && <Result of={run} scores={run.metrics} /> : <Overall of={run} />}
          <section aria-labelledby="plan">
            <h2 id="plan">{t.run.planTitle}</h2>
            <Plan of={run} />
          </section>
          {curves && (
            <div class="charts">
              {networks.map((kind) => (run.plan.some((plan) => plan.stages.some((stage) => stage.kind === kind)) || curves.losses[kind].length > 0 ? <CurveChart key={kind} id={kind} title={t.run.lossTitle[kind]} curves={curves.losses[kind]} /> : null))}
              <CurveChart id="rate" title={t.run.rateTitle} curves={curves.rates} />
            </div>
          )}
          <section aria-labelledby="epochs">
            <h2 id="epochs">{t.run.epochsTitle}</h2>
            {run.history.length < run.epochsDone && <p class="soft">{t.run.epochsSome(f.count(run.history.length), f.count(run.epochsDone))}</p>}
            <Epochs of={run} />
          </section>
        </>
      )}
    </>
  );
}

/** Says aloud what an eye would catch: epochs that end, and the end. */
function useAnnouncements(run: Run | null): void {
  const { t, f } = useText();
  const before = useRef<{ readonly id: string; readonly epochs: number; readonly status: string } | null>(null);
  useEffect(() => {
    if (run === null) {
      return;
    }
    const last = before.current;
    before.current = { id: run.id, epochs: run.epochsDone, status: run.status };
    if (last === null || last.id !== run.id) {
      return;
    }
    if (run.status !== last.status) {
      announce(t.run.announceStatus(t.statuses[run.status]));
    } else if (run.epochsDone > last.epochs) {
      const epoch = run.history.at(-1);
      if (epoch) {
        announce(t.run.announceEpoch(t.run.direction[epoch.direction], epoch.epoch, epoch.epochs, f.decimal(epoch.trainLoss)));
      }
    }
  }, [run]);
}

function Overall({ of: run }: { readonly of: Run }) {
  const { t, f } = useText();
  const now = useNow(run.eta !== null);
  const left = run.eta === null ? null : Math.max(0, (Date.parse(run.eta) - now) / 1000);
  return (
    <div class="overall">
      <Progress share={run.progress ?? 0} label={t.run.overall} class="large" />
      <div class="row between">
        {(run.progress ?? 0) >= trained ? (
          <span>{t.run.measuring}</span>
        ) : (
          <span>
            {t.run.done(f.share(run.progress ?? 0, 0))}
            {left !== null && run.eta !== null && (
              <span class="soft">
                {" · "}
                {t.run.left(f.duration(left))}, {t.run.until(f.clockAt(run.eta))}
              </span>
            )}
          </span>
        )}
        <Cancel id={run.id} />
      </div>
    </div>
  );
}

function Cancel({ id }: { readonly id: string }) {
  const { t } = useText();
  const [asked, setAsked] = useState(false);
  const [sent, setSent] = useState(false);
  const call = useCall();
  const cancel = (): Promise<void> =>
    call.run(async () => {
      await send(`/api/runs/${encodeURIComponent(id)}`, { method: "DELETE" });
      setSent(true);
      setAsked(false);
      announce(t.run.canceling);
    });
  return (
    <>
      <button type="button" disabled={sent} onClick={() => setAsked(true)}>
        {sent ? t.run.canceling : t.run.cancel}
      </button>
      {asked && <Confirm title={t.run.cancelTitle} text={t.run.cancelText} yes={t.run.cancelYes} no={t.run.cancelNo} bad busy={call.busy} problem={call.problem} onYes={() => void cancel()} onNo={() => setAsked(false)} />}
    </>
  );
}

function Plan({ of: run }: { readonly of: Run }) {
  const { t } = useText();
  if (run.plan.length === 0) {
    return <p class="soft">{t.run.planNone}</p>;
  }
  return (
    <>
      <div class="plan">
        {run.plan.map((plan) => {
          const progress = run.directions.find((one) => one.direction === plan.direction);
          const history = run.history.filter((epoch) => epoch.direction === plan.direction);
          const present = progress && !isFinal(run.status) ? stageIndexOf(progress, plan, history) : -1;
          return (
            <div key={plan.direction}>
              <h3>
                {t.run.direction[plan.direction]} <span class="soft">{t.run.directionNote[plan.direction]}</span>
              </h3>
              <ol>
                {plan.stages.map((stage, index) => (
                  <Stage key={index} stage={stage} ended={lastEpochOf(history, index)} over={index < reached(history) || isFinal(run.status)} progress={index === present ? progress : undefined} />
                ))}
              </ol>
            </div>
          );
        })}
      </div>
      <p class="soft">{t.run.legend}</p>
    </>
  );
}

const lastEpochOf = (history: readonly EpochRecord[], stage: number): number => history.reduce((last, epoch) => (epoch.stageIndex === stage ? Math.max(last, epoch.epoch) : last), 0);
const reached = (history: readonly EpochRecord[]): number => history.reduce((last, epoch) => Math.max(last, epoch.stageIndex), 0);

function Stage({ stage, ended, over, progress }: { readonly stage: PlannedStage; readonly ended: number; readonly over: boolean; readonly progress: DirectionProgress | undefined }) {
  const { t, f } = useText();
  const within = progress && progress.steps > 0 && progress.epoch > ended ? progress.step / progress.steps : 0;
  const name = `${t.run.networks[stage.kind]}: ${t.run.stage(stage.name)}`;
  const state = progress ? "present" : ended >= stage.epochs || (over && ended > 0) ? "done" : "";
  return (
    <li class={`stage ${state}`} aria-current={progress ? "step" : undefined}>
      <div class="row between">
        <span class="stage-name">{name}</span>
        <span class="soft number">
          {t.run.epochsOf(f.count(ended), f.count(stage.epochs))}
          {progress && progress.epoch > ended && ` · ${t.run.step(f.count(progress.step), f.count(progress.steps))}`}
        </span>
      </div>
      <Progress share={(ended + within) / stage.epochs} label={t.run.stageBar(name)} epochs={stage.epochs} />
      <ul class="groups">
        {stage.groups.map((group) => (
          <li key={group.name} class={group.trained ? "group" : "group frozen"}>
            {t.run.group(group.name)} <span class="hidden">{group.trained ? t.run.trained : t.run.frozen}</span>
          </li>
        ))}
      </ul>
    </li>
  );
}

function CurveChart({ id, title, curves }: { readonly id: string; readonly title: string; readonly curves: readonly Curve[] }) {
  const { t, f } = useText();
  const columns = useMemo(() => columnsOf(curves), [curves]);
  const both = new Set(curves.map((curve) => curve.direction)).size > 1;
  return (
    <section aria-labelledby={`chart-${id}`} class="chart-box">
      <h2 id={`chart-${id}`}>{title}</h2>
      {curves.length === 0 ? (
        <p class="soft">{t.run.chartEmpty}</p>
      ) : (
        <Chart
          label={t.run.chartLabel(title, columns[0].length)}
          axis={t.run.epochAxis}
          fromZero
          columns={columns}
          format={(value) => (value === null ? "–" : f.short(value))}
          series={curves.map((curve) => ({
            name: [both ? t.run.direction[curve.direction] : "", t.run.curve[curve.what]].filter((part) => part !== "").join(", "),
            tone: curve.direction === "forward" ? "accent" : "ink",
            dashed: curve.what === "heldOut",
          }))}
        />
      )}
    </section>
  );
}

function Epochs({ of: run }: { readonly of: Run }) {
  const { t, f } = useText();
  const [all, setAll] = useState(false);
  if (run.history.length === 0) {
    return <p class="soft">{t.run.epochsNone}</p>;
  }
  const newest = [...run.history].reverse();
  const shown = all ? newest : newest.slice(0, shownEpochs);
  return (
    <>
    <Table caption={t.run.epochsCaption} class={all ? "epochs tall" : "epochs"}>
      <thead>
        <tr>
          <th scope="col">{t.run.stageColumn}</th>
          <th scope="col" class="number">
            {t.run.epochColumn}
          </th>
          <th scope="col" class="number">
            {t.run.trainLoss}
          </th>
          <th scope="col" class="number">
            {t.run.heldOutLoss}
          </th>
          <th scope="col" class="number">
            {t.run.score}
          </th>
          <th scope="col" class="number">
            {t.run.rateTitle}
          </th>
          <th scope="col" class="number">
            {t.run.seconds}
          </th>
        </tr>
      </thead>
      <tbody>
        {shown.map((epoch) => (
          <EpochRow key={`${epoch.direction}/${epoch.stageIndex}/${epoch.epoch}`} direction={epoch.direction} stage={epoch.stage} perplexity={epoch.perplexity} epoch={epoch.epoch} epochs={epoch.epochs} trainLoss={epoch.trainLoss} heldOutLoss={epoch.heldOutLoss} accuracy={epoch.accuracy} learningRate={epoch.learningRate} seconds={epoch.seconds} />
        ))}
      </tbody>
    </Table>
    {shown.length < newest.length && (
      <button type="button" onClick={() => setAll(true)}>
        {t.run.epochsAll(f.count(newest.length))}
      </button>
    )}
    </>
  );
}

/** An epoch that has ended does not change: with hundreds of them only the new one is drawn. */
const EpochRow = memo(function EpochRow(epoch: Omit<EpochRecord, "stageIndex">) {
  const { t, f } = useText();
  return (
    <tr>
      <th scope="row">
        {t.run.direction[epoch.direction]} · {t.run.networks[kindOf(epoch.stage, epoch.perplexity)]}: {t.run.stage(epoch.stage)}
      </th>
      <td class="number">
        {epoch.epoch}/{epoch.epochs}
      </td>
      <td class="number">{f.decimal(epoch.trainLoss)}</td>
      <td class="number">{f.decimal(epoch.heldOutLoss)}</td>
      <td class="number">{epoch.accuracy !== null ? t.run.accuracyShort(f.share(epoch.accuracy)) : epoch.perplexity !== null ? t.run.perplexityShort(f.short(epoch.perplexity)) : "–"}</td>
      <td class="number">{f.short(epoch.learningRate)}</td>
      <td class="number">{f.duration(epoch.seconds)}</td>
    </tr>
  );
});

function Result({ of: run, scores }: { readonly of: Run; readonly scores: Scores }) {
  const { t, f } = useText();
  const outcome = outcomeOf(run);
  const before = run.championMetrics;
  const champion = (value: (scores: Scores) => string): string | undefined => (before && run.comparedWith !== null ? `${t.run.champion(run.comparedWith)} ${value(before)}` : undefined);
  return (
    <section aria-labelledby="result">
      <h2 id="result">{t.run.resultTitle}</h2>
      {outcome !== null ? <p>{t.run.outcome[outcome](run.comparedWith ?? 0)}</p> : run.decision !== null && <p lang="en">{run.decision}</p>}
      <dl class="figures">
        <Figure name={t.run.accuracy} value={f.share(scores.accuracy)} note={champion((one) => f.share(one.accuracy)) ?? t.run.measuredOn(f.count(scores.rows))} />
        <Figure name={t.run.macroF1} value={f.decimal(scores.macroF1)} note={champion((one) => f.decimal(one.macroF1))} />
      </dl>
      <p class="row">
        {run.modelVersion !== null && (
          <>
            <a class="button primary" href={link.tryIt(run.dataset)}>
              {t.run.tryIt}
            </a>
            <a class="button" href={link.model(run.dataset)}>
              {t.run.seeModel}
            </a>
          </>
        )}
        {run.report !== null && (
          <ReportLink path={run.report} file={`${run.id}.html`}>
            {t.run.report}
          </ReportLink>
        )}
      </p>
      <details open={scores.perClass.length <= 12}>
        <summary>{t.run.perClass}</summary>
        <Table caption={t.run.perClass}>
          <thead>
            <tr>
              <th scope="col">{t.dataset.label}</th>
              <th scope="col" class="number">
                {t.run.precision}
              </th>
              <th scope="col" class="number">
                {t.run.recall}
              </th>
              <th scope="col" class="number">
                {t.run.f1}
              </th>
              <th scope="col" class="number">
                {t.run.support}
              </th>
            </tr>
          </thead>
          <tbody>
            {scores.perClass.map((one) => (
              <tr key={one.label}>
                <th scope="row">{one.label}</th>
                <td class="number">{f.share(one.precision)}</td>
                <td class="number">{f.share(one.recall)}</td>
                <td class="number">{f.decimal(one.f1)}</td>
                <td class="number">{f.count(one.rows)}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      </details>
    </section>
  );
}
