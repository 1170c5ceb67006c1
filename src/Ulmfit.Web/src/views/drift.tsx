import { useMemo } from "preact/hooks";
import type { Drift } from "../api/types";
import { useText } from "../i18n";
import { Chart } from "../ui/chart";
import { useResource } from "../ui/hooks";
import { Loaded, Table, Tag } from "../ui/parts";

const days = 30;

/** What the model that answers is asked, held against its training. */
export function DriftSection({ model, champion }: { readonly model: string; readonly champion: number | null }) {
  const { t } = useText();
  const drift = useResource<Drift>(champion === null ? null : `/api/models/${encodeURIComponent(model)}/drift?days=${days}&version=${champion}`);
  if (champion === null) {
    return null;
  }
  return (
    <section aria-labelledby="drift">
      <h2 id="drift">{t.model.driftTitle}</h2>
      <p class="soft">{t.model.driftLead}</p>
      <Loaded of={drift}>{(found) => (found.days.length === 0 ? <p>{t.model.driftNone}</p> : <Days of={found} />)}</Loaded>
    </section>
  );
}

function Days({ of: drift }: { readonly of: Drift }) {
  const { t, f } = useText();
  const measured = useMemo(() => drift.days.filter((day) => day.populationStability !== null).reverse(), [drift]);
  const columns = useMemo<[number[], (number | null)[], (number | null)[]]>(
    () => [measured.map((_, index) => index), measured.map((day) => day.populationStability), measured.map(() => drift.thresholds.populationStability)],
    [measured, drift],
  );
  return (
    <>
      {drift.reference === null && <p class="soft">{t.model.driftNoReference}</p>}
      {measured.length > 1 && (
        <Chart
          label={t.run.chartLabel(t.model.driftChart, measured.length)}
          axis={t.model.day}
          columns={columns}
          format={(value) => f.decimal(value, 2)}
          formatX={(value) => measured[value]?.day.slice(5) ?? ""}
          height={160}
          series={[
            { name: t.model.psi, tone: "accent" },
            { name: t.model.alarm, tone: "ink", dashed: true },
          ]}
        />
      )}
      <Table caption={t.model.driftCaption} class="tall">
        <thead>
          <tr>
            <th scope="col">{t.model.day}</th>
            <th scope="col" class="number">
              {t.model.texts}
            </th>
            <th scope="col" class="number">
              {t.model.psi}
            </th>
            <th scope="col" class="number">
              {t.model.unknown}
            </th>
            <th scope="col">{t.model.alarm}</th>
          </tr>
        </thead>
        <tbody>
          {drift.days.map((day) => (
            <tr key={day.day}>
              <th scope="row">{day.day}</th>
              <td class="number">{f.count(day.texts)}</td>
              <td class="number">{f.decimal(day.populationStability, 2)}</td>
              <td class="number">{f.share(day.unknownRate)}</td>
              <td>{day.alarms.length === 0 ? <span class="soft">{t.model.noAlarm}</span> : day.alarms.map((alarm) => <Tag key={alarm} tone="bad">{t.model.alarms[alarm]}</Tag>)}</td>
            </tr>
          ))}
        </tbody>
      </Table>
      <p class="soft">{t.model.thresholds(f.decimal(drift.thresholds.populationStability, 2), f.share(drift.thresholds.unknownWords, 0), f.count(drift.thresholds.minimumTexts))}</p>
    </>
  );
}
