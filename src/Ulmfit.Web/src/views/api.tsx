import { useId, useMemo, useState } from "preact/hooks";
import type { Model } from "../api/types";
import { useText } from "../i18n";
import type { ApiCall } from "../logic/calls";
import { operationsOf, proseOf, schemaText, type Body, type OpenApi, type Operation } from "../logic/openapi";
import { CallBox } from "../ui/calls";
import { useResource } from "../ui/hooks";
import { Loaded, Table } from "../ui/parts";

const document = "/api/openapi.json";

export function ApiView() {
  const { t } = useText();
  const id = useId();
  const openapi = useResource<OpenApi>(document);
  const models = useResource<{ models: readonly Model[] }>("/api/models");
  const [chosen, setChosen] = useState<string | null>(null);
  const names = models.value?.models.map((model) => model.model) ?? [];
  const model = chosen ?? names[0] ?? "tickets";
  return (
    <>
      <h1 tabIndex={-1}>{t.api.title}</h1>
      <p class="lead">
        {t.api.lead} <a href={document}>{t.api.document}</a>
      </p>
      {names.length > 0 && (
        <div class="field">
          <label for={`${id}-model`}>{t.api.model}</label>
          <select id={`${id}-model`} value={model} onChange={(event) => setChosen(event.currentTarget.value)}>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </div>
      )}
      <Loaded of={openapi}>{(found) => <Operations document={found} model={model} version={models.value?.models.find((one) => one.model === model)?.champion ?? 1} />}</Loaded>
    </>
  );
}

function Operations({ document: openapi, model, version }: { readonly document: OpenApi; readonly model: string; readonly version: number }) {
  const { t } = useText();
  const id = useId();
  const [filter, setFilter] = useState("");
  const all = useMemo(() => operationsOf(openapi), [openapi]);
  const wanted = filter.trim().toLowerCase();
  const found = wanted === "" ? all : all.filter((one) => `${one.method} ${one.path} ${one.summary} ${one.id}`.toLowerCase().includes(wanted));
  const tags = [...new Set(found.map((one) => one.tag))];
  return (
    <>
      <div class="field">
        <label for={id}>{t.api.filter}</label>
        <input id={id} type="search" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
        <p class="soft" role="status">
          {t.api.found(found.length)}
        </p>
      </div>
      {tags.map((tag) => (
        <section key={tag} lang="en">
          <h2>{tag === "" ? t.api.other : tag}</h2>
          {found
            .filter((one) => one.tag === tag)
            .map((one) => (
              <OperationDetails key={one.id} of={one} document={openapi} model={model} version={version} />
            ))}
        </section>
      ))}
    </>
  );
}

function OperationDetails({ of: operation, document: openapi, model, version }: { readonly of: Operation; readonly document: OpenApi; readonly model: string; readonly version: number }) {
  const { t } = useText();
  const [open, setOpen] = useState(false);
  return (
    <details class="operation" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span class="method">{operation.method}</span> <code>{operation.path}</code> <span class="soft">{prose(operation.summary)}</span>
      </summary>
      {open && (
        <>
          {operation.description !== "" && operation.description.split(/\n{2,}/).map((paragraph, index) => <p key={index}>{prose(paragraph)}</p>)}
          {operation.parameters.length > 0 && (
            <>
              <h3>{t.api.parameters}</h3>
              <Table caption={`${t.api.parameters}: ${operation.method} ${operation.path}`}>
                <thead>
                  <tr>
                    <th scope="col">{t.api.name}</th>
                    <th scope="col">{t.api.where}</th>
                    <th scope="col">{t.api.type}</th>
                    <th scope="col">{t.api.meaning}</th>
                  </tr>
                </thead>
                <tbody>
                  {operation.parameters.map((parameter) => (
                    <tr key={`${parameter.in}/${parameter.name}`}>
                      <th scope="row">
                        <code>{parameter.name}</code> {parameter.required && <span class="soft">{t.api.required}</span>}
                      </th>
                      <td>{parameter.in}</td>
                      <td>
                        <code>{parameter.schema ? schemaText(openapi, parameter.schema) : "string"}</code>
                      </td>
                      <td class="wrap">{prose(parameter.description ?? "")}</td>
                    </tr>
                  ))}
                </tbody>
              </Table>
            </>
          )}
          {operation.body && (
            <>
              <h3>{t.api.request}</h3>
              <BodyText of={operation.body} document={openapi} />
            </>
          )}
          <h3>{t.api.answers}</h3>
          <dl class="answers">
            {operation.answers.map((answer) => (
              <div key={answer.status}>
                <dt>{answer.status}</dt>
                <dd>
                  {prose(answer.description)}
                  {answer.body && Number(answer.status) < 300 && <BodyText of={answer.body} document={openapi} />}
                </dd>
              </div>
            ))}
          </dl>
          <h3>{t.api.call}</h3>
          <CallBox call={callOf(operation, model, version)} />
        </>
      )}
    </details>
  );
}

const prose = (text: string) => proseOf(text).map((part, index) => (part.code ? <code key={index}>{part.text}</code> : part.text));

/** An example, with the shape on demand; where there is none, the shape. */
function BodyText({ of: body, document: openapi }: { readonly of: Body; readonly document: OpenApi }) {
  const { t } = useText();
  const shape = body.schema ? schemaText(openapi, body.schema) : null;
  return (
    <>
      <p class="soft">
        <code>{body.type}</code>
      </p>
      {body.example !== undefined && <Code text={typeof body.example === "string" ? body.example : JSON.stringify(body.example, null, 2)} label={body.type} />}
      {shape !== null &&
        (body.example === undefined ? (
          <Code text={shape} label={body.type} />
        ) : (
          <details>
            <summary>{t.api.shape}</summary>
            <Code text={shape} label={t.api.shape} />
          </details>
        ))}
    </>
  );
}

function Code({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div class="code" tabIndex={0} role="region" aria-label={label}>
      <pre>
        <code>{text}</code>
      </pre>
    </div>
  );
}

/** The call with the chosen model's names put in. */
function callOf(operation: Operation, model: string, version: number): ApiCall {
  const values: Readonly<Record<string, string>> = { dataset: model, model, version: String(version), id: `${model}-1` };
  const path = operation.path.replace(/\{\*?(\w+)\}/g, (_, name: string) => values[name] ?? (operation.path.includes("/drops/") ? "more.csv" : "en-small"));
  if (operation.body === null) {
    return { method: operation.method, path };
  }
  return operation.body.type.includes("json") ? { method: operation.method, path, body: operation.body.example ?? {} } : { method: operation.method, path, file: "more.csv" };
}
