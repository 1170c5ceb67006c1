import { useState } from "preact/hooks";
import { getTagged, Problem } from "../api/client";
import type { Model, ModelVersionSummary } from "../api/types";
import { useText } from "../i18n";
import { link } from "../router";
import { announce } from "../ui/announce";
import { useCall, useResource } from "../ui/hooks";
import { Confirm, Loaded, ProblemNotice, Table, Tag } from "../ui/parts";
import { ReportLink } from "../ui/report-link";
import { Compare } from "./compare";
import { DriftSection } from "./drift";

export function ModelView({ name }: { readonly name: string }) {
  const { t } = useText();
  const model = useResource<Model>(`/api/models/${encodeURIComponent(name)}`);
  return (
    <>
      <h1 tabIndex={-1}>{name}</h1>
      <Loaded of={model}>
        {(found) => (
          <>
            <p class="row">
              {found.champion !== null && (
                <a class="button primary" href={link.tryIt(name)}>
                  {t.nav.tryIt}
                </a>
              )}
              <a class="button" href={link.dataset(name)}>
                {t.model.toDataset}
              </a>
            </p>
            {found.damaged.length > 0 && (
              <div class="notice bad">
                <h2>{t.model.damaged}</h2>
                <ul>
                  {found.damaged.map((damaged) => (
                    <li key={damaged.version}>
                      {t.models.version(damaged.version)}: <span lang="en">{damaged.reason}</span>
                    </li>
                  ))}
                </ul>
              </div>
            )}
            <Versions name={name} model={found} tag={model.tag} changed={model.set} lost={model.reload} />
            <DriftSection model={name} champion={found.champion} />
            {found.promotions.length > 0 && <Promotions of={found} />}
          </>
        )}
      </Loaded>
    </>
  );
}

/** The two versions that are compared at first: the one that answers and the newest other one. */
function initialPair(model: Model): readonly number[] {
  const numbers = model.versions.map((version) => version.version).reverse();
  const champion = model.champion !== null && numbers.includes(model.champion) ? model.champion : numbers[0];
  const other = numbers.find((version) => version !== champion);
  return [other, champion].filter((version): version is number => version !== undefined).sort((a, b) => a - b);
}

interface VersionsProps {
  readonly name: string;
  readonly model: Model;
  readonly tag: string | null;
  readonly changed: (model: Model, tag: string | null) => void;
  readonly lost: () => void;
}

function Versions({ name, model, tag, changed, lost }: VersionsProps) {
  const { t } = useText();
  const [pair, setPair] = useState(() => initialPair(model));
  const [asked, setAsked] = useState<number | null>(null);
  const [refused, setRefused] = useState<Problem | null>(null);
  const call = useCall();
  const promote = (version: number): Promise<void> =>
    call.run(async () => {
      try {
        const answer = await getTagged<Model>(`/api/models/${encodeURIComponent(name)}/champion`, { method: "PUT", json: { version }, ...(tag === null ? {} : { headers: { "if-match": tag } }) });
        setAsked(null);
        setRefused(null);
        changed({ ...answer.value, drift: model.drift }, answer.tag);
        announce(t.model.promoted(version));
      } catch (error) {
        if (error instanceof Problem && error.status === 412) {
          // Somebody else has decided meanwhile: their decision is shown before this one is made anew.
          setAsked(null);
          setRefused(error);
          lost();
          return;
        }
        throw error;
      }
    });
  const choose = (version: number, on: boolean): void => setPair((before) => (on ? [...before, version].slice(-2) : before.filter((one) => one !== version)).sort((a, b) => a - b));
  const back = (version: number): boolean => model.champion !== null && version < model.champion;
  return (
    <>
      <section aria-labelledby="versions">
        <h2 id="versions">{t.model.versionsTitle}</h2>
        {refused && <ProblemNotice problem={refused} />}
        <Table caption={t.model.versionsCaption}>
          <thead>
            <tr>
              <th scope="col">{t.model.compareColumn}</th>
              <th scope="col">{t.model.version}</th>
              <th scope="col">{t.models.champion}</th>
              <th scope="col" class="number">
                {t.models.accuracy}
              </th>
              <th scope="col" class="number">
                {t.models.macroF1}
              </th>
              <th scope="col">{t.model.data}</th>
              <th scope="col">{t.runs.run}</th>
              <th scope="col">{t.model.created}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {[...model.versions].reverse().map((version) => (
              <VersionRow key={version.version} model={name} version={version} champion={version.version === model.champion} older={back(version.version)} chosen={pair.includes(version.version)} choose={choose} ask={setAsked} />
            ))}
          </tbody>
        </Table>
        {asked !== null && (
          <Confirm
            title={back(asked) ? t.model.rollBackTitle(asked) : t.model.promoteTitle(asked)}
            text={t.model.promoteText(model.champion, asked)}
            yes={t.model.promoteYes(asked)}
            no={t.cancel}
            busy={call.busy}
            problem={call.problem}
            onYes={() => void promote(asked)}
            onNo={() => {
              call.clear();
              setAsked(null);
            }}
          />
        )}
      </section>
      <section aria-labelledby="compare">
        <h2 id="compare">{pair.length === 1 ? t.model.oneTitle : t.model.compareTitle}</h2>
        {pair.length < 2 && <p class="soft">{model.versions.length < 2 ? t.model.compareOne : t.model.comparePick}</p>}
        {pair.length > 0 && <Compare model={name} versions={pair} />}
      </section>
    </>
  );
}

interface RowProps {
  readonly model: string;
  readonly version: ModelVersionSummary;
  readonly champion: boolean;
  /** Whether it is older than the one that answers. */
  readonly older: boolean;
  readonly chosen: boolean;
  readonly choose: (version: number, on: boolean) => void;
  readonly ask: (version: number) => void;
}

function VersionRow({ model, version, champion, older, chosen, choose, ask }: RowProps) {
  const { t, f } = useText();
  return (
    <tr data-version={version.version}>
      <td>
        <input type="checkbox" class="check" aria-label={t.model.compareVersion(version.version)} checked={chosen} onChange={(event) => choose(version.version, event.currentTarget.checked)} />
      </td>
      <th scope="row">{version.version}</th>
      <td>
        {champion ? (
          <Tag tone="accent">{t.model.answers}</Tag>
        ) : (
          <button type="button" class="small" aria-label={`${older ? t.model.rollBack : t.model.promote}: ${t.models.version(version.version)}`} onClick={() => ask(version.version)}>
            {older ? t.model.rollBack : t.model.promote}
          </button>
        )}
      </td>
      <td class="number">{f.share(version.accuracy)}</td>
      <td class="number">{f.decimal(version.macroF1)}</td>
      <td>{t.model.dataVersion(version.datasetVersion)}</td>
      <td>
        <a href={link.run(version.run)}>{version.run}</a>
      </td>
      <td class="date">{f.at(version.createdAt)}</td>
      <td>
        {version.report !== null && (
          <ReportLink path={version.report} file={`${model}-${version.version}.html`}>
            {t.model.report}
          </ReportLink>
        )}
      </td>
    </tr>
  );
}

function Promotions({ of: model }: { readonly of: Model }) {
  const { t, f } = useText();
  return (
    <section aria-labelledby="promotions">
      <h2 id="promotions">{t.model.promotionsTitle}</h2>
      <Table caption={t.model.promotionsCaption} class="tall">
        <thead>
          <tr>
            <th scope="col">{t.model.when}</th>
            <th scope="col" class="number">
              {t.model.version}
            </th>
            <th scope="col">{t.model.by}</th>
          </tr>
        </thead>
        <tbody>
          {model.promotions.map((promotion) => (
            <tr key={`${promotion.at}/${promotion.version}`}>
              <td class="date">{f.at(promotion.at)}</td>
              <td class="number">{promotion.version}</td>
              <td>{promotion.run === null ? t.model.byHand : <a href={link.run(promotion.run)}>{promotion.run}</a>}</td>
            </tr>
          ))}
        </tbody>
      </Table>
    </section>
  );
}
