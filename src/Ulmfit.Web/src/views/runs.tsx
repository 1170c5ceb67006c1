import { useEffect, useState } from "preact/hooks";
import type { Run } from "../api/types";
import { isFinal, watchRun } from "../api/watch";
import { useText } from "../i18n";
import { link } from "../router";
import { useResource } from "../ui/hooks";
import { Loaded, Progress, Table } from "../ui/parts";
import { RunState } from "./states";

/** Runs that are followed at once: a browser opens few connections to a host, and other calls need some. */
const mostFollowed = 2;

export function RunsView() {
  const { t } = useText();
  const runs = useResource<{ runs: readonly Run[] }>("/api/runs");
  return (
    <>
      <h1 tabIndex={-1}>{t.runs.title}</h1>
      <Loaded of={runs}>{({ runs: all }) => (all.length === 0 ? <p class="lead">{t.runs.none}</p> : <RunTable runs={all} dataset />)}</Loaded>
    </>
  );
}

/** Runs in a table, those that are active followed live. */
export function RunTable({ runs, dataset }: { readonly runs: readonly Run[]; readonly dataset: boolean }) {
  const { t, f } = useText();
  const [live, setLive] = useState<ReadonlyMap<string, Run>>(new Map());
  const followed = runs
    .filter((run) => !isFinal(run.status))
    .slice(0, mostFollowed)
    .map((run) => run.id)
    .join("/");
  useEffect(() => {
    const stops = followed
      .split("/")
      .filter((id) => id !== "")
      .map((id) =>
        watchRun(id, {
          run: (run) => setLive((before) => new Map(before).set(id, run)),
          connection: () => {},
          failed: () => {},
        }),
      );
    return () => stops.forEach((stop) => stop());
  }, [followed]);
  return (
    <Table caption={t.runs.caption}>
      <thead>
        <tr>
          <th scope="col">{t.runs.run}</th>
          <th scope="col">{t.runs.status}</th>
          <th scope="col">{t.runs.progress}</th>
          <th scope="col" class="number">
            {t.runs.accuracy}
          </th>
          <th scope="col" class="number">
            {t.runs.model}
          </th>
          <th scope="col">{t.runs.started}</th>
          <th scope="col" class="number">
            {t.runs.took}
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((listed) => {
          const run = live.get(listed.id) ?? listed;
          return (
            <tr key={run.id}>
              <th scope="row" class="name">
                <a href={link.run(run.id)}>{run.id}</a>
              </th>
              <td>
                <RunState status={run.status} />
              </td>
              <td>{isFinal(run.status) ? "" : <Progress share={run.progress ?? 0} label={`${t.run.overall} ${run.id}`} class="inline" />}</td>
              <td class="number">{run.metrics ? f.share(run.metrics.accuracy) : "–"}</td>
              <td class="number">{run.modelVersion === null ? "–" : dataset ? <a href={link.model(run.dataset)}>{run.modelVersion}</a> : run.modelVersion}</td>
              <td class="date">{f.at(run.startedAt ?? run.createdAt)}</td>
              <td class="number">{run.startedAt !== null && run.finishedAt !== null ? f.duration((Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1000) : "–"}</td>
            </tr>
          );
        })}
      </tbody>
    </Table>
  );
}
