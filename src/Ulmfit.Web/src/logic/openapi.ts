/** As much of OpenAPI 3.1 as the reference shows. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly const?: unknown;
  readonly format?: string;
  readonly additionalProperties?: boolean | Schema;
}

interface Media {
  readonly schema?: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value?: unknown; readonly $ref?: string }>>;
}

interface Referable {
  readonly $ref?: string;
}

export interface Parameter extends Referable {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

interface Answer extends Referable {
  readonly description?: string;
  readonly content?: Readonly<Record<string, Media>>;
}

interface RawOperation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Referable & { readonly description?: string; readonly required?: boolean; readonly content?: Readonly<Record<string, Media>> };
  readonly responses?: Readonly<Record<string, Answer>>;
}

export interface OpenApi {
  readonly info?: { readonly title?: string; readonly version?: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components?: unknown;
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
}

export interface Body {
  readonly type: string;
  readonly schema: Schema | null;
  readonly example: unknown;
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly tag: string;
  readonly parameters: readonly Parameter[];
  readonly body: Body | null;
  readonly answers: readonly { readonly status: string; readonly description: string; readonly body: Body | null }[];
}

const methods = ["get", "put", "post", "delete", "patch"];

/** What a local reference points at. */
export function resolve<T extends Referable>(document: OpenApi, value: T): T {
  let found: unknown = value;
  for (let depth = 0; depth < 16 && typeof found === "object" && found !== null && typeof (found as Referable).$ref === "string"; depth++) {
    const reference = (found as { $ref: string }).$ref;
    if (!reference.startsWith("#/")) {
      break;
    }
    found = reference
      .slice(2)
      .split("/")
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
      .reduce<unknown>((node, part) => (typeof node === "object" && node !== null ? (node as Record<string, unknown>)[part] : undefined), document);
  }
  return (found ?? value) as T;
}

/** The operations of a document in its order. */
export function operationsOf(document: OpenApi): Operation[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    methods
      .filter((method) => method in item)
      .map((method) => {
        const raw = item[method] as RawOperation;
        const common = (item["parameters"] ?? []) as readonly Parameter[];
        const requestBody = raw.requestBody && resolve(document, raw.requestBody);
        return {
          id: raw.operationId ?? `${method} ${path}`,
          method: method.toUpperCase(),
          path,
          summary: raw.summary ?? "",
          description: raw.description ?? "",
          tag: raw.tags?.[0] ?? "",
          parameters: [...common, ...(raw.parameters ?? [])].map((parameter) => resolve(document, parameter)),
          body: bodyOf(document, requestBody?.content),
          answers: Object.entries(raw.responses ?? {}).map(([status, answer]) => {
            const resolved = resolve(document, answer);
            return { status, description: resolved.description ?? "", body: bodyOf(document, resolved.content) };
          }),
        };
      }),
  );
}

function bodyOf(document: OpenApi, content: Readonly<Record<string, Media>> | undefined): Body | null {
  const [type, media] = Object.entries(content ?? {})[0] ?? [];
  if (type === undefined || media === undefined) {
    return null;
  }
  const example = Object.values(media.examples ?? {})[0];
  return {
    type,
    schema: media.schema ?? null,
    example: media.example ?? (example && (resolve(document, example) as { value?: unknown }).value),
  };
}

/** A schema in one line, as a person would say it: `{ model: string, version: integer }`. Nested objects only so deep. */
export function schemaText(document: OpenApi, schema: Schema, depth = 0): string {
  const found = resolve(document, schema);
  const named = schema.$ref?.split("/").pop();
  if (found.const !== undefined) {
    return JSON.stringify(found.const);
  }
  if (found.enum) {
    return found.enum.map((value) => JSON.stringify(value)).join(" | ");
  }
  const alternatives = found.oneOf ?? found.anyOf;
  if (alternatives) {
    return alternatives.map((one) => schemaText(document, one, depth)).join(" | ");
  }
  const types = Array.isArray(found.type) ? (found.type as readonly string[]) : found.type === undefined ? [] : [found.type as string];
  const nullable = types.includes("null") ? " | null" : "";
  const type = types.find((one) => one !== "null");
  if (type === "array" && found.items) {
    const item = schemaText(document, found.items, depth);
    return `${isUnion(resolve(document, found.items)) ? `(${item})` : item}[]${nullable}`;
  }
  if ((type === "object" || found.properties) && found.properties) {
    if (depth >= 2) {
      return (named ?? "object") + nullable;
    }
    const indent = "  ".repeat(depth + 1);
    const members = Object.entries(found.properties).map(([name, member]) => `${indent}${name}${found.required?.includes(name) ? "" : "?"}: ${schemaText(document, member, depth + 1)}`);
    return `{\n${members.join(",\n")}\n${"  ".repeat(depth)}}${nullable}`;
  }
  return (type ?? named ?? "any") + nullable;
}

const isUnion = (schema: Schema): boolean => (schema.oneOf ?? schema.anyOf ?? schema.enum ?? (Array.isArray(schema.type) ? schema.type : [])).length > 1;

/** A piece of a description: code stands between backticks. */
export function proseOf(text: string): { readonly text: string; readonly code: boolean }[] {
  return text
    .split("`")
    .map((part, index) => ({ text: part, code: index % 2 === 1 }))
    .filter((part) => part.text !== "");
}
