const extensions = /\.(?:csv|tsv|jsonl)(?:\.gz)?$/i;

/** The rule for the names of data sets. */
export const datasetName = /^[a-z0-9][a-z0-9-]{0,62}$/;

export const isDropFile = (name: string): boolean => extensions.test(name);

/** A file's name as the API takes it, its extension kept. */
export function dropName(file: string): string {
  const extension = extensions.exec(file)?.[0].toLowerCase() ?? "";
  const stem = file
    .slice(0, file.length - extension.length)
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+|[-.]+$/g, "");
  return (stem || "drop").slice(0, 128 - extension.length) + extension;
}

/** The same with a number before the extension: for content that came later under a name that is taken. */
export function nextDropName(name: string): string {
  const extension = extensions.exec(name)?.[0] ?? "";
  const stem = name.slice(0, name.length - extension.length);
  const numbered = /^(.*)-(\d{1,6})$/.exec(stem);
  const [base, number] = numbered ? [numbered[1]!, Number(numbered[2]) + 1] : [stem, 2];
  return `${base.slice(0, 120 - extension.length)}-${number}${extension}`;
}

/** What a data set might be called whose first file this is. */
export function suggestDataset(file: string): string {
  const stem = file
    .replace(extensions, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return stem.slice(0, 63).replace(/-+$/, "");
}
