import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOf } from "../../../src/Ulmfit.Web/src/logic/outcome";

const scores = (macroF1: number, accuracy = 0.5, rows = 10) => ({ rows, accuracy, macroF1, perClass: [] }) as unknown as NonNullable<Parameters<typeof outcomeOf>[0]["metrics"]>;

test("What is said of a run that has ended is what the gate decided, or nothing", () => {
  const first = { status: "completed", metrics: scores(0.6), comparedWith: null, championMetrics: null } as const;
  const second = { ...first, comparedWith: 1, championMetrics: scores(0.5) };
  assert.equal(outcomeOf(first), "first");
  assert.equal(outcomeOf(second), "better");
  assert.equal(outcomeOf({ ...second, metrics: scores(0.5, 0.6) }), "better");
  assert.equal(outcomeOf({ ...second, metrics: scores(0.5) }), "asGood");
  assert.equal(outcomeOf({ ...second, status: "rejected", metrics: scores(0.5) }), "notBetter");
  assert.equal(outcomeOf({ ...second, status: "rejected", metrics: scores(0.4, 0.9) }), "notBetter");

  // No better than always the same class, or nothing held out: that the host says itself.
  assert.equal(outcomeOf({ ...second, status: "rejected" }), null);
  assert.equal(outcomeOf({ ...first, status: "rejected" }), null);
  assert.equal(outcomeOf({ ...first, metrics: scores(0, 0, 0) }), null);
  assert.equal(outcomeOf({ ...first, status: "running", metrics: null }), null);
});
