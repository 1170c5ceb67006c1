import type { Direction, DirectionPlan, DirectionProgress, EpochRecord, Report, Run, StageKind } from "../api/types";

/** A point of a curve: how many epochs had been done, and the value. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** What is drawn of a run. Epochs count within a network for losses, and over the whole plan for learning rates. */
export interface Curves {
  readonly losses: Readonly<Record<StageKind, readonly Curve[]>>;
  readonly rates: readonly Curve[];
}

export interface Curve {
  readonly direction: Direction;
  readonly what: "train" | "heldOut" | "rate";
  readonly points: readonly Point[];
}

/** What was seen between the ends of epochs while the page watched. */
export interface LivePoint {
  readonly direction: Direction;
  readonly kind: StageKind;
  /** Epochs done of the network. */
  readonly x: number;
  /** Epochs done of the plan. */
  readonly total: number;
  readonly loss: number | null;
  readonly rate: number | null;
}

const directions: readonly Direction[] = ["forward", "backward"];
const mostLive = 4000;
const pointsAnEpoch = 8;

/** Language models alone have a perplexity; their stages begin with "lm". */
export const kindOf = (stage: string, perplexity: number | null = null): StageKind => (perplexity !== null || /^lm\b|^lm-/.test(stage) ? "language-model" : "classifier");

interface StagePlace {
  readonly kind: StageKind;
  /** Epochs of the network before the stage. */
  readonly before: number;
  /** Epochs of the plan before the stage. */
  readonly beforeAll: number;
}

/** Where each stage of a direction begins: by the plan, or, where a run has none, by the epochs that have been. */
function placesOf(plan: DirectionPlan | undefined, history: readonly EpochRecord[]): StagePlace[] {
  const stages: { kind: StageKind; epochs: number }[] = [];
  if (plan) {
    stages.push(...plan.stages);
  } else {
    for (const epoch of history) {
      stages[epoch.stageIndex] = { kind: kindOf(epoch.stage, epoch.perplexity), epochs: epoch.epochs };
    }
  }
  const before: Record<StageKind, number> = { "language-model": 0, classifier: 0 };
  let all = 0;
  return Array.from(stages, (stage) => {
    const kind = stage?.kind ?? "language-model";
    const place = { kind, before: before[kind], beforeAll: all };
    before[kind] += stage?.epochs ?? 0;
    all += stage?.epochs ?? 0;
    return place;
  });
}

/** Which stage of the plan a direction is in: the name may come twice, so the one that its finished epochs lead to is taken. */
export function stageIndexOf(progress: DirectionProgress, plan: DirectionPlan | undefined, history: readonly EpochRecord[]): number {
  let reached = 0;
  for (const epoch of history) {
    if (epoch.direction === progress.direction) {
      reached = Math.max(reached, epoch.stageIndex);
    }
  }
  if (!plan) {
    const last = history.findLast((epoch) => epoch.direction === progress.direction);
    return last && last.stage !== progress.stage ? last.stageIndex + 1 : (last?.stageIndex ?? 0);
  }
  for (let index = reached; index < plan.stages.length; index++) {
    if (plan.stages[index]!.name === progress.stage) {
      return index;
    }
  }
  return Math.max(0, plan.stages.findIndex((stage) => stage.name === progress.stage));
}

/** Adds what a message tells of the present epochs. Of too many points every second one goes. */
export function addLive(points: readonly LivePoint[], run: Run): readonly LivePoint[] {
  const added: LivePoint[] = [];
  for (const progress of run.directions) {
    const plan = run.plan.find((one) => one.direction === progress.direction);
    const history = run.history.filter((epoch) => epoch.direction === progress.direction);
    const place = placesOf(plan, history)[stageIndexOf(progress, plan, history)];
    if (!place || progress.steps === 0) {
      continue;
    }
    const done = progress.epoch - 1 + progress.step / progress.steps;
    const last = points.findLast((point) => point.direction === progress.direction);
    if (last && last.total >= place.beforeAll + done) {
      continue;
    }
    added.push({ direction: progress.direction, kind: place.kind, x: place.before + done, total: place.beforeAll + done, loss: progress.loss, rate: progress.learningRate });
  }
  if (added.length === 0) {
    return points;
  }
  const all = [...points, ...added];
  return all.length > mostLive ? all.filter((_, index) => index % 2 === 0 || index > all.length - 20) : all;
}

/** The curves of a run: the ends of its epochs, with what was seen in between. */
export function curvesOf(run: Pick<Run, "history" | "plan">, live: readonly LivePoint[] = []): Curves {
  const losses: Record<StageKind, Curve[]> = { "language-model": [], classifier: [] };
  const rates: Curve[] = [];
  for (const direction of directions) {
    const history = run.history.filter((epoch) => epoch.direction === direction);
    const seen = live.filter((point) => point.direction === direction);
    const places = placesOf(
      run.plan.find((plan) => plan.direction === direction),
      history,
    );
    const rate: Point[] = [];
    for (const kind of ["language-model", "classifier"] as const) {
      const train: Point[] = [];
      const heldOut: Point[] = [];
      for (const epoch of history) {
        const place = places[epoch.stageIndex];
        if (!place || place.kind !== kind) {
          continue;
        }
        push(train, place.before + epoch.epoch, epoch.trainLoss);
        push(heldOut, place.before + epoch.epoch, epoch.heldOutLoss);
        push(rate, place.beforeAll + epoch.epoch, epoch.learningRate);
      }
      for (const point of seen) {
        if (point.kind === kind) {
          push(train, point.x, point.loss);
          push(rate, point.total, point.rate);
        }
      }
      addCurve(losses[kind], direction, "train", train);
      addCurve(losses[kind], direction, "heldOut", heldOut);
    }
    addCurve(rates, direction, "rate", rate);
  }
  return { losses, rates };
}

/** The finer curves that a report has of every epoch, with the held-out losses of the run. */
export function curvesOfReport(run: Pick<Run, "history" | "plan">, report: Report): Curves {
  const ends = curvesOf(run);
  const losses: Record<StageKind, Curve[]> = { "language-model": [], classifier: [] };
  const rates: Curve[] = [];
  for (const { direction, epochs } of report.directions) {
    const done: Record<StageKind, number> = { "language-model": 0, classifier: 0 };
    const train: Record<StageKind, Point[]> = { "language-model": [], classifier: [] };
    const rate: Point[] = [];
    let all = 0;
    for (const epoch of epochs) {
      const share = (step: number): number => (epoch.steps > 0 ? step / epoch.steps : 1);
      // The loss of a single step tells of its batch: the mean of some tells of the model.
      const window = Math.max(1, Math.ceil(epoch.curve.length / pointsAnEpoch));
      for (let at = 0; at < epoch.curve.length; at += window) {
        const some = epoch.curve.slice(at, at + window);
        push(train[epoch.kind], done[epoch.kind] + share(some.at(-1)!.step), some.reduce((sum, point) => sum + point.loss, 0) / some.length);
      }
      for (const point of epoch.curve) {
        push(rate, all + share(point.step), point.learningRate);
      }
      done[epoch.kind]++;
      all++;
    }
    for (const kind of ["language-model", "classifier"] as const) {
      const own = train[kind].length > 0 ? train[kind] : (ends.losses[kind].find((curve) => curve.direction === direction && curve.what === "train")?.points ?? []);
      addCurve(losses[kind], direction, "train", [...own]);
      addCurve(losses[kind], direction, "heldOut", [...(ends.losses[kind].find((curve) => curve.direction === direction && curve.what === "heldOut")?.points ?? [])]);
    }
    addCurve(rates, direction, "rate", rate);
  }
  return { losses, rates: rates.length > 0 ? rates : ends.rates };
}

/** Curves as columns over one axis: the form that a plot takes, null where a curve has no point. */
export function columnsOf(curves: readonly Curve[]): [number[], ...(number | null)[][]] {
  const xs = [...new Set(curves.flatMap((curve) => curve.points.map((point) => point.x)))].sort((a, b) => a - b);
  const rows = new Map(xs.map((x, row) => [x, row]));
  return [
    xs,
    ...curves.map((curve) => {
      const column = new Array<number | null>(xs.length).fill(null);
      for (const point of curve.points) {
        column[rows.get(point.x)!] = point.y;
      }
      return column;
    }),
  ];
}

function push(points: Point[], x: number, y: number | null): void {
  if (y !== null && Number.isFinite(y)) {
    points.push({ x, y });
  }
}

function addCurve(curves: Curve[], direction: Direction, what: Curve["what"], points: Point[]): void {
  if (points.length > 0) {
    curves.push({ direction, what, points: points.sort((a, b) => a.x - b.x) });
  }
}
