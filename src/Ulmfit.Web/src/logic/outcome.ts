import type { Run, Scores } from "../api/types";

/** How the scores of a run decided; null where they did not, and the host's own words are all that tells. */
export type Outcome = "first" | "better" | "asGood" | "notBetter";

/** As the gate of the pipeline compares: by macro-F1, and by accuracy where that is equal. */
export function outcomeOf(run: Pick<Run, "status" | "metrics" | "comparedWith" | "championMetrics">): Outcome | null {
  if (run.metrics === null || run.metrics.rows === 0) {
    return null;
  }
  if (run.comparedWith === null || run.championMetrics === null) {
    return run.status === "completed" ? "first" : null;
  }
  const difference = compare(run.metrics, run.championMetrics);
  switch (run.status) {
    case "completed":
      return difference > 0 ? "better" : "asGood";
    case "rejected":
      return difference > 0 ? null : "notBetter";
    default:
      return null;
  }
}

const compare = (a: Scores, b: Scores): number => (a.macroF1 === b.macroF1 ? a.accuracy - b.accuracy : a.macroF1 - b.macroF1);
