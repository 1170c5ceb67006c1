import assert from "node:assert/strict";
import { test } from "node:test";
import type { DirectionProgress, EpochRecord, Run } from "../../../src/Ulmfit.Web/src/api/types";
import { addLive, columnsOf, curvesOf, curvesOfReport, stageIndexOf, type LivePoint } from "../../../src/Ulmfit.Web/src/logic/curves";

const stage = (name: string, kind: "language-model" | "classifier", epochs: number) => ({ name, kind, epochs, learningRate: 0.01, groups: [] });
const plan = [{ direction: "forward" as const, stages: [stage("lm", "language-model", 2), stage("head", "classifier", 1), stage("only-1", "classifier", 1), stage("head", "classifier", 2)] }];
const epoch = (stageIndex: number, name: string, number: number, epochs: number, trainLoss: number | null): EpochRecord => ({
  direction: "forward", stageIndex, stage: name, epoch: number, epochs, trainLoss, heldOutLoss: trainLoss, accuracy: null, perplexity: name === "lm" ? 9 : null, learningRate: 0.01, seconds: 1,
});
const progress = (name: string, number: number, step: number): DirectionProgress => ({
  direction: "forward", stage: name, epoch: number, epochs: 2, step, steps: 10, loss: 1, learningRate: 0.02, tokensPerSecond: 1, done: 0, remainingSeconds: null, at: "",
});
const history = [epoch(0, "lm", 1, 2, 4), epoch(0, "lm", 2, 2, 3), epoch(1, "head", 1, 1, 2), epoch(2, "only-1", 1, 1, null), epoch(3, "head", 1, 2, 1)];

test("Epochs count within a network for losses, and over the plan for rates, with a plan or without", () => {
  for (const known of [plan, []]) {
    const curves = curvesOf({ history, plan: known });
    assert.deepEqual(curves.losses["language-model"].find((curve) => curve.what === "train")?.points, [{ x: 1, y: 4 }, { x: 2, y: 3 }]);
    assert.deepEqual(curves.losses.classifier.find((curve) => curve.what === "train")?.points, [{ x: 1, y: 2 }, { x: 3, y: 1 }], "a loss that is no number has no point");
    assert.deepEqual(curves.rates[0]?.points.map((point) => point.x), [1, 2, 3, 4, 5]);
  }
});

test("A stage whose name comes twice is the one that the finished epochs lead to", () => {
  assert.equal(stageIndexOf(progress("head", 1, 1), plan[0], history.slice(0, 2)), 1);
  assert.equal(stageIndexOf(progress("head", 1, 1), plan[0], history.slice(0, 4)), 3);
});

test("What is seen within an epoch is kept in order, and bounded", () => {
  const run = (number: number, step: number) => ({ directions: [progress("lm", number, step)], history: [], plan }) as unknown as Run;
  let points: readonly LivePoint[] = [];
  points = addLive(points, run(1, 5));
  assert.equal(addLive(points, run(1, 5)), points, "the same again adds nothing");
  assert.equal(addLive(points, run(1, 2)), points, "what lies back adds nothing");
  points = addLive(points, run(2, 5));
  assert.deepEqual(points.map((point) => point.x), [0.5, 1.5]);
  for (let step = 1; step < 6000; step++) {
    points = addLive(points, { directions: [{ ...progress("lm", 1, step), steps: 1000 }], history: [], plan: [{ direction: "forward", stages: [stage("lm", "language-model", 10)] }] } as unknown as Run);
  }
  assert.ok(points.length <= 4000);
});

test("Columns have one axis and a gap where a curve has no point", () => {
  assert.deepEqual(columnsOf([
    { direction: "forward", what: "train", points: [{ x: 1, y: 5 }, { x: 2, y: 6 }] },
    { direction: "backward", what: "train", points: [{ x: 1.5, y: 7 }] },
  ]), [[1, 1.5, 2], [5, null, 6], [null, 7, null]]);
});

test("A report gives finer losses, as means of some steps", () => {
  const curve = Array.from({ length: 80 }, (_, index) => ({ step: index + 1, loss: index % 2, learningRate: 0.01 }));
  const curves = curvesOfReport({ history: [], plan: [] }, { scores: [], directions: [{ direction: "forward", epochs: [{ stage: "lm", kind: "language-model", epoch: 1, epochs: 1, steps: 80, curve }] }] });
  const points = curves.losses["language-model"][0]!.points;
  assert.equal(points.length, 8);
  assert.ok(points.every((point) => point.y === 0.5));
  assert.equal(points.at(-1)?.x, 1);
  assert.equal(curves.rates[0]?.points.length, 80);
});
