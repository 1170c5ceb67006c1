/** A value of settings by its path, e.g. languageModel.epochs. */
export type Flat = ReadonlyMap<string, string>;

/** Settings as paths and values. */
export function flatten(settings: unknown, path = ""): Map<string, string> {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
    return new Map(path === "" ? [] : [[path, JSON.stringify(settings) ?? "null"]]);
  }
  return new Map(Object.entries(settings).flatMap(([name, value]) => [...flatten(value, path === "" ? name : `${path}.${name}`)]));
}

/** The paths at which settings are not all the same. */
export function differing(all: readonly unknown[]): string[] {
  const flat = all.map((one) => flatten(one));
  const paths = new Set(flat.flatMap((one) => [...one.keys()]));
  return [...paths].filter((path) => new Set(flat.map((one) => one.get(path))).size > 1);
}
