import type { DatasetStatus, RunStatus } from "../api/types";
import { useText } from "../i18n";
import { Tag, type Tone } from "../ui/parts";

const runTones: Readonly<Record<RunStatus, Tone>> = { queued: "quiet", running: "accent", completed: "plain", rejected: "quiet", failed: "bad", canceled: "quiet" };
const datasetTones: Readonly<Record<DatasetStatus, Tone>> = { pending: "accent", ready: "plain", refused: "bad", empty: "quiet" };

export function RunState({ status }: { readonly status: RunStatus }) {
  const { t } = useText();
  return <Tag tone={runTones[status]}>{t.statuses[status]}</Tag>;
}

export function DatasetState({ status }: { readonly status: DatasetStatus }) {
  const { t } = useText();
  return <Tag tone={datasetTones[status]}>{t.statuses[status]}</Tag>;
}
