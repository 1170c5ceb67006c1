/** What the HTTP API answers, as far as the page reads it. The reference is /api/openapi.json. */

export type Direction = "forward" | "backward";

export type RunStatus = "queued" | "running" | "completed" | "rejected" | "failed" | "canceled";

export type StageKind = "language-model" | "classifier";

export interface Fault {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

export interface Drop {
  readonly name: string;
  readonly status: "pending" | "accepted" | "rejected";
  readonly bytes: number;
  readonly sha256: string | null;
  readonly accepted: number;
  readonly rejected: number;
  readonly errors: readonly Fault[];
}

export interface ClassCount {
  readonly label: string;
  readonly train: number;
  readonly heldOut: number;
}

export interface DatasetVersion {
  readonly version: number;
  readonly createdAt: string;
  readonly trainRows: number;
  readonly heldOutRows: number;
  readonly unlabeledRows: number;
  readonly classes: number;
  readonly digest: string;
}

/** Why work does not go on; it goes on by itself when the cause is gone. */
export interface Waiting {
  readonly failure: string;
  readonly reason: string;
  readonly since: string;
}

export type DatasetStatus = "pending" | "ready" | "refused" | "empty";

export interface DatasetSummary {
  readonly dataset: string;
  readonly status: DatasetStatus;
  readonly reason: string | null;
  readonly version: number | null;
  readonly rows: number;
  readonly trainRows: number;
  readonly heldOutRows: number;
  readonly unlabeledRows: number;
  readonly classes: number;
  readonly drops: readonly Pick<Drop, "name" | "status" | "accepted" | "rejected">[];
  readonly activeRun: string | null;
}

export interface Dataset extends Omit<DatasetSummary, "classes" | "drops"> {
  readonly warnings: readonly string[];
  readonly duplicates: number;
  readonly contradictions: number;
  readonly corrected: number;
  readonly feedbackWaiting: number;
  readonly classes: readonly ClassCount[];
  readonly drops: readonly Drop[];
  readonly unlabeled: readonly Drop[];
  readonly versions: readonly DatasetVersion[];
  readonly waiting: Waiting | null;
}

export interface ClassScore {
  readonly label: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly rows: number;
}

export interface Scores {
  readonly accuracy: number;
  readonly macroF1: number;
  readonly rows: number;
  readonly perClass: readonly ClassScore[];
}

export interface PlannedGroup {
  readonly name: string;
  readonly trained: boolean;
  readonly learningRate: number;
}

export interface PlannedStage {
  readonly name: string;
  readonly kind: StageKind;
  readonly epochs: number;
  readonly learningRate: number;
  readonly groups: readonly PlannedGroup[];
}

export interface DirectionPlan {
  readonly direction: Direction;
  readonly stages: readonly PlannedStage[];
}

/** Where a direction is now. */
export interface DirectionProgress {
  readonly direction: Direction;
  readonly stage: string;
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  readonly loss: number | null;
  readonly learningRate: number | null;
  readonly tokensPerSecond: number;
  readonly done: number;
  readonly remainingSeconds: number | null;
  readonly at: string;
}

/** A finished epoch. */
export interface EpochRecord {
  readonly direction: Direction;
  readonly stageIndex: number;
  readonly stage: string;
  readonly epoch: number;
  readonly epochs: number;
  readonly trainLoss: number | null;
  readonly heldOutLoss: number | null;
  readonly accuracy: number | null;
  readonly perplexity: number | null;
  readonly learningRate: number | null;
  readonly seconds: number;
}

export interface Run {
  readonly id: string;
  readonly dataset: string;
  readonly status: RunStatus;
  readonly revision: number;
  readonly trigger: "drops" | "request";
  readonly waiting: Waiting | null;
  readonly stage: string | null;
  readonly direction: Direction | null;
  readonly epoch: number | null;
  readonly epochs: number | null;
  readonly progress: number | null;
  readonly etaSeconds: number | null;
  readonly eta: string | null;
  readonly directions: readonly DirectionProgress[];
  readonly plan: readonly DirectionPlan[];
  readonly history: readonly EpochRecord[];
  readonly epochsDone: number;
  readonly metrics: Scores | null;
  readonly comparedWith: number | null;
  readonly championMetrics: Scores | null;
  readonly decision: string | null;
  readonly weightsDigest: string | null;
  readonly modelVersion: number | null;
  readonly report: string | null;
  readonly datasetVersion: number | null;
  readonly settings: unknown;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly updatedAt: string;
  readonly finishedAt: string | null;
  readonly error: string | null;
}

export interface ModelVersionSummary {
  readonly version: number;
  readonly createdAt: string;
  readonly run: string;
  readonly datasetVersion: number;
  readonly accuracy: number;
  readonly macroF1: number;
  readonly weightsDigest: string;
  readonly modelDigest: string;
  readonly report: string | null;
}

export interface Promotion {
  readonly version: number;
  readonly at: string;
  readonly run: string | null;
}

export type DriftAlarm = "populationStability" | "unknownWords";

export interface DriftDay {
  readonly day: string;
  readonly requests: number;
  readonly texts: number;
  readonly unknownRate: number | null;
  readonly populationStability: number | null;
  readonly byChance: number | null;
  readonly alarms: readonly DriftAlarm[];
  readonly shifts: readonly { readonly label: string; readonly share: number; readonly reference: number; readonly part: number }[];
}

export interface Drift {
  readonly model: string;
  readonly version: number;
  readonly thresholds: { readonly populationStability: number; readonly unknownWords: number; readonly minimumTexts: number };
  readonly reference: { readonly source: string; readonly rows: number; readonly trainingUnknownRate: number; readonly heldOutUnknownRate: number | null } | null;
  readonly days: readonly DriftDay[];
}

export interface Model {
  readonly model: string;
  readonly champion: number | null;
  readonly versions: readonly ModelVersionSummary[];
  readonly promotions: readonly Promotion[];
  readonly damaged: readonly { readonly version: number; readonly reason: string }[];
  readonly drift: DriftDay | null;
}

export interface ModelVariant {
  readonly file: string;
  readonly precision: string;
  readonly bytes: number;
  readonly accuracy: number;
  readonly macroF1: number;
  readonly speed: { readonly tokens: number; readonly microsecondsPerToken: number; readonly microsecondsPerTokenInBatches: number };
}

export interface CalibrationScores {
  readonly expectedError: number;
  readonly logLoss: number;
}

export interface Calibration {
  readonly temperature: number;
  readonly rows: number;
  readonly before: CalibrationScores;
  readonly after: CalibrationScores;
  readonly crossFitted: CalibrationScores | null;
  readonly errorByChance: number;
}

/** All that is known of a published version. */
export interface ModelCard {
  readonly model: string;
  readonly version: number;
  readonly createdAt: string;
  readonly run: string;
  readonly datasetVersion: number;
  readonly datasetDigest: string;
  readonly drops: readonly { readonly name: string; readonly sha256: string }[];
  readonly trainRows: number;
  readonly settings: unknown;
  readonly seed: number;
  readonly pretrained: string;
  readonly pretrainedDigest: string | null;
  readonly engine: string;
  readonly codeVersion: string;
  readonly tokenizerVersion: string;
  readonly directions: readonly string[];
  readonly weightsDigest: string;
  readonly files: Readonly<Record<string, string>>;
  readonly metrics: Scores;
  readonly serves: string;
  readonly variants: readonly ModelVariant[];
  readonly calibration: Calibration | null;
  readonly comparedWith: number | null;
  readonly championMetrics: Scores | null;
}

/** The part of a version's report that the page shows. */
export interface Report {
  readonly scores: readonly {
    readonly rows: "held-out" | "test";
    readonly metrics: {
      readonly perClass: readonly { readonly label: string }[];
      /** [true class][predicted class], how many rows. */
      readonly confusionMatrix: readonly (readonly number[])[];
    };
  }[];
  readonly directions: readonly {
    readonly direction: Direction;
    readonly epochs: readonly {
      readonly stage: string;
      readonly kind: StageKind;
      readonly epoch: number;
      readonly epochs: number;
      readonly steps: number;
      readonly curve: readonly { readonly step: number; readonly loss: number; readonly learningRate: number }[];
    }[];
  }[];
}

export interface LabelScore {
  /** Null where no label has a score as high as the threshold. */
  readonly label: string | null;
  readonly score: number;
}

export interface ExplainedToken {
  readonly text: string;
  /** Offsets into the text, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  readonly contribution: number;
}

export interface Explanation {
  readonly label: string;
  readonly method: string;
  readonly tokens: readonly ExplainedToken[];
}

export interface Explained {
  readonly predictions: readonly LabelScore[];
  readonly explanation: Explanation | null;
}

export interface Classified {
  readonly model: string;
  readonly version: number;
  /** One a text: plain where no explanation was asked for. */
  readonly predictions: readonly (readonly LabelScore[] | Explained)[];
}

/** An error as the API tells it (RFC 9457), with the members that some types add. */
export interface ProblemBody {
  readonly type?: string;
  readonly title?: string;
  readonly status?: number;
  readonly detail?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly run?: string;
  readonly limit?: number;
}
