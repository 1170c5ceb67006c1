import type { Model } from "../api/types";
import { useText } from "../i18n";
import { link } from "../router";
import { useResource } from "../ui/hooks";
import { Loaded, Table } from "../ui/parts";

export function ModelsView() {
  const { t, f } = useText();
  const models = useResource<{ models: readonly Model[] }>("/api/models");
  return (
    <>
      <h1 tabIndex={-1}>{t.models.title}</h1>
      <Loaded of={models}>
        {({ models: all }) =>
          all.length === 0 ? (
            <>
              <p class="lead">{t.models.none}</p>
              <p>
                <a class="button primary" href={link.datasets}>
                  {t.tryIt.noneLink}
                </a>
              </p>
            </>
          ) : (
            <Table caption={t.models.caption}>
              <thead>
                <tr>
                  <th scope="col">{t.models.model}</th>
                  <th scope="col">{t.models.champion}</th>
                  <th scope="col" class="number">
                    {t.models.versions}
                  </th>
                  <th scope="col" class="number">
                    {t.models.accuracy}
                  </th>
                  <th scope="col" class="number">
                    {t.models.macroF1}
                  </th>
                  <td />
                </tr>
              </thead>
              <tbody>
                {all.map((model) => {
                  const champion = model.versions.find((version) => version.version === model.champion);
                  return (
                    <tr key={model.model}>
                      <th scope="row">
                        <a href={link.model(model.model)}>{model.model}</a>
                      </th>
                      <td>{model.champion === null ? t.models.noChampion : t.models.version(model.champion)}</td>
                      <td class="number">{f.count(model.versions.length)}</td>
                      <td class="number">{f.share(champion?.accuracy)}</td>
                      <td class="number">{f.decimal(champion?.macroF1)}</td>
                      <td>{model.champion !== null && <a href={link.tryIt(model.model)}>{t.nav.tryIt}</a>}</td>
                    </tr>
                  );
                })}
              </tbody>
            </Table>
          )
        }
      </Loaded>
    </>
  );
}
