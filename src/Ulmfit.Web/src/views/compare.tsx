import type { ComponentChildren } from "preact";
import type { ModelCard, Report } from "../api/types";
import { useText } from "../i18n";
import { differing, flatten } from "../logic/settings";
import { link } from "../router";
import { useResource } from "../ui/hooks";
import { Bar, Digest, Loaded, Table } from "../ui/parts";

/** More classes than this make a table that nobody reads. */
const mostConfused = 24;

/** Versions side by side: measures, classes, confusion, lineage. */
export function Compare({ model, versions }: { readonly model: string; readonly versions: readonly number[] }) {
  const first = useResource<ModelCard>(versions[0] === undefined ? null : cardPath(model, versions[0]));
  const second = useResource<ModelCard>(versions[1] === undefined ? null : cardPath(model, versions[1]));
  return (
    <Loaded of={first}>
      {(one) => (versions.length < 2 ? <Cards cards={[one]} /> : <Loaded of={second}>{(other) => <Cards cards={[one, other]} />}</Loaded>)}
    </Loaded>
  );
}

const cardPath = (model: string, version: number): string => `/api/models/${encodeURIComponent(model)}/versions/${version}`;

function Cards({ cards }: { readonly cards: readonly ModelCard[] }) {
  return (
    <>
      <Measures cards={cards} />
      <PerClass cards={cards} />
      <ConfusionTables cards={cards} />
      <Lineage cards={cards} />
    </>
  );
}

function Heads({ cards, difference }: { readonly cards: readonly ModelCard[]; readonly difference: string | null }) {
  const { t } = useText();
  return (
    <>
      {cards.map((card) => (
        <th key={card.version} scope="col" class="number">
          {t.models.version(card.version)}
        </th>
      ))}
      {cards.length > 1 && difference !== null && (
        <th scope="col" class="number">
          {difference}
        </th>
      )}
    </>
  );
}

function Measures({ cards }: { readonly cards: readonly ModelCard[] }) {
  const { t, f } = useText();
  const variant = (card: ModelCard, precision: string) => card.variants.find((one) => one.precision === precision);
  const served = (card: ModelCard) => card.variants.find((one) => one.file === card.serves);
  interface Measure {
    readonly name: string;
    readonly note?: string;
    readonly value: (card: ModelCard) => number | null | undefined;
    readonly show: (value: number, card: ModelCard) => ComponentChildren;
    readonly difference?: (value: number) => string;
  }
  const points = (value: number): string => `${f.signed(value * 100, 1)} pp`;
  const measures: Measure[] = [
    { name: t.models.accuracy, value: (card) => card.metrics.accuracy, show: (value) => f.share(value), difference: points },
    { name: t.models.macroF1, value: (card) => card.metrics.macroF1, show: (value) => f.decimal(value), difference: (value) => f.signed(value) },
    { name: t.model.heldOutRows, value: (card) => card.metrics.rows, show: (value) => f.count(value) },
    {
      name: t.model.calibration,
      note: t.model.calibrationNote,
      value: (card) => card.calibration?.after.expectedError,
      show: (value, card) => (
        <>
          {f.share(card.calibration?.before.expectedError)} → {f.share(value)}
          <span class="note">{t.model.chance(f.share(card.calibration?.errorByChance))}</span>
        </>
      ),
      difference: points,
    },
    { name: t.model.temperature, value: (card) => card.calibration?.temperature, show: (value) => f.decimal(value, 2) },
    { name: t.model.float32, value: (card) => variant(card, "float32")?.macroF1, show: (value) => f.decimal(value), difference: (value) => f.signed(value) },
    { name: t.model.int8, value: (card) => variant(card, "int8")?.macroF1, show: (value) => f.decimal(value), difference: (value) => f.signed(value) },
    { name: t.model.size, value: (card) => served(card)?.bytes, show: (value) => f.bytes(value) },
    { name: t.model.speed, value: (card) => served(card)?.speed.microsecondsPerToken, show: (value) => t.model.microseconds(f.short(value)) },
    { name: t.dataset.classesTitle, value: (card) => card.metrics.perClass.length, show: (value) => f.count(value) },
  ];
  const shown = measures.filter((measure) => cards.some((card) => measure.value(card) !== null && measure.value(card) !== undefined));
  const rows = new Set(cards.map((card) => `${card.metrics.rows}/${card.datasetVersion}`));
  return (
    <>
      <Table caption={t.model.compareTitle}>
        <thead>
          <tr>
            <th scope="col">{t.model.metric}</th>
            <Heads cards={cards} difference={t.model.difference} />
          </tr>
        </thead>
        <tbody>
          {shown.map((measure) => {
            const values = cards.map((card) => measure.value(card) ?? null);
            const [before, after] = values;
            return (
              <tr key={measure.name}>
                <th scope="row">
                  {measure.name}
                  {measure.note && <span class="note">{measure.note}</span>}
                </th>
                {values.map((value, index) => (
                  <td key={index} class="number">
                    {value === null ? "–" : measure.show(value, cards[index]!)}
                  </td>
                ))}
                {cards.length > 1 && <td class="number">{measure.difference && typeof before === "number" && typeof after === "number" ? measure.difference(after - before) : ""}</td>}
              </tr>
            );
          })}
          {cards.some((card) => card.variants.length > 0) && (
            <tr>
              <th scope="row">{t.model.serves}</th>
              {cards.map((card) => (
                <td key={card.version} class="number">
                  {t.model.precisionName(served(card)?.precision ?? "float32")}
                </td>
              ))}
              {cards.length > 1 && <td />}
            </tr>
          )}
        </tbody>
      </Table>
      {rows.size > 1 && <p class="soft">{t.model.otherRows}</p>}
    </>
  );
}

function PerClass({ cards }: { readonly cards: readonly ModelCard[] }) {
  const { t, f } = useText();
  const labels = [...new Set(cards.flatMap((card) => card.metrics.perClass.map((one) => one.label)))];
  const of = (card: ModelCard, label: string) => card.metrics.perClass.find((one) => one.label === label)?.f1;
  return (
    <details open={labels.length <= 12}>
      <summary>
        <h3>{t.model.perClassTitle}</h3>
      </summary>
      <Table caption={t.model.perClassTitle}>
        <thead>
          <tr>
            <th scope="col">{t.dataset.label}</th>
            <Heads cards={cards} difference={t.model.difference} />
            <td />
          </tr>
        </thead>
        <tbody>
          {labels.map((label) => {
            const values = cards.map((card) => of(card, label));
            const [before, after] = values;
            return (
              <tr key={label}>
                <th scope="row">{label}</th>
                {values.map((value, index) => (
                  <td key={index} class="number">
                    {f.decimal(value)}
                  </td>
                ))}
                {cards.length > 1 && <td class="number">{before !== undefined && after !== undefined ? f.signed(after - before) : ""}</td>}
                <td class="bars">
                  {values.map((value, index) => (
                    <Bar key={index} share={value ?? 0} class={index === values.length - 1 ? "" : "ink"} />
                  ))}
                </td>
              </tr>
            );
          })}
        </tbody>
      </Table>
    </details>
  );
}

function ConfusionTables({ cards }: { readonly cards: readonly ModelCard[] }) {
  const { t } = useText();
  return (
    <details open>
      <summary>
        <h3>{t.model.confusionTitle}</h3>
      </summary>
      <div class="columns">
        {cards.map((card) => (
          <ConfusionTable key={card.version} card={card} />
        ))}
      </div>
    </details>
  );
}

function ConfusionTable({ card }: { readonly card: ModelCard }) {
  const { t, f } = useText();
  const report = useResource<Report>("report.json" in card.files ? `${cardPath(card.model, card.version)}/report?format=json` : null);
  const scores = report.value?.scores.find((one) => one.rows === "held-out") ?? report.value?.scores[0];
  if (!scores) {
    return report.loading ? <p class="soft">{t.loading}</p> : <p class="soft">{t.model.confusionNone}</p>;
  }
  const { confusionMatrix: matrix, perClass } = scores.metrics;
  if (perClass.length > mostConfused) {
    return <p class="soft">{t.model.confusionTooMany}</p>;
  }
  return (
    <Table caption={t.model.confusionOf(card.version)} showCaption class="confusion">
      <thead>
        <tr>
          <td class="soft">{t.model.trueLabel}</td>
          {perClass.map((one) => (
            <th key={one.label} scope="col" class="number">
              <span class="turned">{one.label}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {matrix.map((row, index) => {
          const all = row.reduce((sum, count) => sum + count, 0);
          return (
            <tr key={index}>
              <th scope="row">{perClass[index]?.label}</th>
              {row.map((count, column) => (
                <td key={column} class={`number ${column === index ? "right" : "wrong"} ${count === 0 ? "soft" : ""}`} style={{ "--share": all === 0 ? 0 : count / all }}>
                  {f.count(count)}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </Table>
  );
}

function Lineage({ cards }: { readonly cards: readonly ModelCard[] }) {
  const { t, f } = useText();
  const l = t.model.lineage;
  const changed = differing(cards.map((card) => card.settings));
  interface Fact {
    readonly name: string;
    /** What is compared. */
    readonly key: (card: ModelCard) => string;
    readonly show?: (card: ModelCard) => ComponentChildren;
  }
  const facts: Fact[] = [
    { name: l.run, key: (card) => card.run, show: (card) => <a href={link.run(card.run)}>{card.run}</a> },
    {
      name: l.dataset,
      key: (card) => card.datasetDigest,
      show: (card) => (
        <>
          {t.model.dataVersion(card.datasetVersion)} <Digest value={card.datasetDigest} />
        </>
      ),
    },
    { name: l.drops, key: (card) => card.drops.map((drop) => drop.sha256).join(), show: (card) => card.drops.map((drop) => drop.name).join(", ") },
    { name: l.trainRows, key: (card) => f.count(card.trainRows) },
    { name: l.seed, key: (card) => String(card.seed) },
    {
      name: l.pretrained,
      key: (card) => `${card.pretrained}/${card.pretrainedDigest ?? ""}`,
      show: (card) => (
        <>
          {card.pretrained} {card.pretrainedDigest && <Digest value={card.pretrainedDigest} />}
        </>
      ),
    },
    { name: l.engine, key: (card) => card.engine },
    { name: l.code, key: (card) => card.codeVersion, show: (card) => <span title={card.codeVersion}>{card.codeVersion.replace(/\+([0-9a-f]{10})[0-9a-f]+$/, "+$1")}</span> },
    { name: l.directions, key: (card) => card.directions.join(", ") },
    { name: l.weights, key: (card) => card.weightsDigest, show: (card) => <Digest value={card.weightsDigest} /> },
    { name: l.settings, key: (card) => JSON.stringify(card.settings), show: (card) => <Settings value={card.settings} paths={changed} /> },
  ];
  return (
    <details open>
      <summary>
        <h3>{t.model.lineageTitle}</h3>
      </summary>
      <Table caption={t.model.lineageCaption} class="lineage">
        <thead>
          <tr>
            <td />
            {cards.map((card) => (
              <th key={card.version} scope="col">
                {t.models.version(card.version)}
              </th>
            ))}
            {cards.length > 1 && <td />}
          </tr>
        </thead>
        <tbody>
          {facts.map((fact) => {
            const same = new Set(cards.map((card) => fact.key(card))).size === 1;
            return (
              <tr key={fact.name} class={same ? "" : "differs"}>
                <th scope="row">{fact.name}</th>
                {cards.map((card) => (
                  <td key={card.version}>{fact.show?.(card) ?? fact.key(card)}</td>
                ))}
                {cards.length > 1 && <td class="soft">{same ? t.model.same : t.model.differs}</td>}
              </tr>
            );
          })}
        </tbody>
      </Table>
    </details>
  );
}

/** All settings on demand; at once those that are not the same in the other version. */
function Settings({ value, paths }: { readonly value: unknown; readonly paths: readonly string[] }) {
  const { t } = useText();
  const flat = flatten(value);
  return (
    <>
      {paths.map((path) => (
        <code key={path} class="setting">
          {path}: {flat.get(path) ?? "–"}
        </code>
      ))}
      <details>
        <summary>{t.model.allSettings}</summary>
        <pre>{JSON.stringify(value, null, 2)}</pre>
      </details>
    </>
  );
}
