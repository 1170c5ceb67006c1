/** Where in the page a person is. It stands behind the # of the address, so that every view can be linked to. */
export type Route =
  | { readonly view: "datasets" }
  | { readonly view: "dataset"; readonly name: string }
  | { readonly view: "runs" }
  | { readonly view: "run"; readonly id: string }
  | { readonly view: "models" }
  | { readonly view: "model"; readonly name: string }
  | { readonly view: "try"; readonly model: string | null }
  | { readonly view: "api" }
  | { readonly view: "unknown" };

export function parseRoute(hash: string): Route {
  const [head = "", ...rest] = hash.replace(/^#?\/?/, "").split("/");
  const name = rest.length === 1 ? decode(rest[0]!) : null;
  if (rest.length > 1) {
    return { view: "unknown" };
  }
  switch (head) {
    case "":
      return { view: "datasets" };
    case "datasets":
      return name === null ? { view: "datasets" } : { view: "dataset", name };
    case "runs":
      return name === null ? { view: "runs" } : { view: "run", id: name };
    case "models":
      return name === null ? { view: "models" } : { view: "model", name };
    case "try":
      return { view: "try", model: name };
    case "api":
      return { view: "api" };
    default:
      return { view: "unknown" };
  }
}

export const link = {
  datasets: "#/datasets",
  dataset: (name: string): string => `#/datasets/${encodeURIComponent(name)}`,
  runs: "#/runs",
  run: (id: string): string => `#/runs/${encodeURIComponent(id)}`,
  models: "#/models",
  model: (name: string): string => `#/models/${encodeURIComponent(name)}`,
  tryIt: (model?: string): string => (model === undefined ? "#/try" : `#/try/${encodeURIComponent(model)}`),
  api: "#/api",
};

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
