import sampleAddress from "../../../Ulmfit.Functions/Sample/support.csv?url";
import sampleSettingsAddress from "../../../Ulmfit.Functions/Sample/support-settings.json?url";
import { send } from "../api/client";
import type { DatasetSummary } from "../api/types";
import { useText } from "../i18n";
import { link } from "../router";
import { useAwaiting, useCall, useResource } from "../ui/hooks";
import { Loaded, ProblemNotice, Table } from "../ui/parts";
import { DropZone } from "./drop-zone";
import { DatasetState } from "./states";

const sampleName = "support";

export function DatasetsView() {
  const { t } = useText();
  const datasets = useResource<{ datasets: readonly DatasetSummary[] }>("/api/datasets");
  const all = datasets.value?.datasets ?? [];
  useAwaiting(
    all.some((one) => one.status === "pending"),
    datasets.reload,
  );
  const open = (dataset: string): void => {
    location.hash = link.dataset(dataset);
  };
  return (
    <>
      <h1 tabIndex={-1}>{t.datasets.title}</h1>
      <Loaded of={datasets}>
        {({ datasets: found }) =>
          found.length === 0 ? (
            <Empty onSent={open} />
          ) : (
            <>
              <p class="lead">{t.datasets.lead}</p>
              <Table caption={t.datasets.caption}>
                <thead>
                  <tr>
                    <th scope="col">{t.datasets.name}</th>
                    <th scope="col">{t.datasets.status}</th>
                    <th scope="col" class="number">
                      {t.datasets.rows}
                    </th>
                    <th scope="col" class="number">
                      {t.datasets.classes}
                    </th>
                    <th scope="col" class="number">
                      {t.datasets.drops}
                    </th>
                    <th scope="col" class="number">
                      {t.datasets.refusedRows}
                    </th>
                    <th scope="col">{t.datasets.activeRun}</th>
                  </tr>
                </thead>
                <tbody>
                  {found.map((one) => (
                    <Row key={one.dataset} of={one} />
                  ))}
                </tbody>
              </Table>
              <section aria-labelledby="new-dataset">
                <h2 id="new-dataset">{t.datasets.newTitle}</h2>
                <DropZone dataset={null} onSent={open} />
              </section>
            </>
          )
        }
      </Loaded>
    </>
  );
}

function Row({ of: one }: { readonly of: DatasetSummary }) {
  const { t, f } = useText();
  return (
    <tr>
      <th scope="row">
        <a href={link.dataset(one.dataset)}>{one.dataset}</a>
      </th>
      <td>
        <DatasetState status={one.status} />
      </td>
      <td class="number">{f.count(one.rows)}</td>
      <td class="number">{f.count(one.classes)}</td>
      <td class="number">{f.count(one.drops.length)}</td>
      <td class="number">{f.count(one.drops.reduce((sum, drop) => sum + drop.rejected, 0))}</td>
      <td>{one.activeRun === null ? <span class="soft">{t.none}</span> : <a href={link.run(one.activeRun)}>{one.activeRun}</a>}</td>
    </tr>
  );
}

/** What a newcomer sees: what to do, what a file looks like, and something to begin with. */
function Empty({ onSent }: { readonly onSent: (dataset: string) => void }) {
  const { t } = useText();
  const call = useCall();
  const useSample = (): Promise<void> =>
    call.run(async () => {
      const [rows, settings] = await Promise.all([fetch(sampleAddress), fetch(sampleSettingsAddress)]);
      // The settings first: a run takes those that are there when it begins.
      await send(`/api/datasets/${sampleName}/settings`, { method: "PUT", json: await settings.json() });
      await send(`/api/datasets/${sampleName}/drops/support.csv`, { method: "PUT", body: await rows.blob() });
      onSent(sampleName);
    });
  return (
    <div class="empty">
      <section aria-labelledby="welcome">
        <h2 id="welcome">{t.datasets.emptyTitle}</h2>
        <p class="lead">{t.datasets.emptyLead}</p>
        <ol class="steps">
          {t.datasets.steps.map((step) => (
            <li key={step.title}>
              <strong>{step.title}</strong>
              <span>{step.text}</span>
            </li>
          ))}
        </ol>
      </section>
      <section aria-labelledby="first-drop">
        <h2 id="first-drop">{t.drop.title}</h2>
        <DropZone dataset={null} onSent={onSent} />
      </section>
      <div class="columns">
        <section aria-labelledby="example">
          <h2 id="example">{t.datasets.exampleTitle}</h2>
          <div class="code">
            <pre lang="en">
              <code>{'text,label\n"Where is my parcel?",delivery\n"I was charged twice, please refund one.",billing\n"The app closes when I log in.",technical'}</code>
            </pre>
          </div>
          <p class="soft">{t.datasets.exampleNote}</p>
        </section>
        <section aria-labelledby="sample">
          <h2 id="sample">{t.datasets.sampleTitle}</h2>
          <p>{t.datasets.sampleText}</p>
          <button type="button" disabled={call.busy} onClick={() => void useSample()}>
            {call.busy ? t.datasets.samplePending : t.datasets.sampleButton}
          </button>
          {call.problem && <ProblemNotice problem={call.problem} />}
        </section>
      </div>
    </div>
  );
}
