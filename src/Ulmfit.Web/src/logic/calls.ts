/** Calls that can be copied as they are. */
export type Language = "curl" | "fetch" | "csharp";

export interface ApiCall {
  readonly method: string;
  /** The address, without the origin. */
  readonly path: string;
  /** JSON; undefined where there is none. */
  readonly body?: unknown;
  /** A file that is sent instead. */
  readonly file?: string;
}

/** What stands where the key belongs: a key itself is never put into a text that is copied. */
const keyPlaceholder = "YOUR_FUNCTION_KEY";

/** A call in a language. */
export function write(call: ApiCall, language: Language, origin: string, withKey: boolean): string {
  const address = origin + call.path;
  switch (language) {
    case "curl":
      return curl(call, address, withKey);
    case "fetch":
      return fetchCall(call, address, withKey);
    case "csharp":
      return csharp(call, address, withKey);
  }
}

const shellQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function curl(call: ApiCall, address: string, withKey: boolean): string {
  const parts = [`curl ${call.method === "GET" ? "" : `-X ${call.method} `}${shellQuote(address)}`];
  if (withKey) {
    parts.push(`-H 'x-functions-key: ${keyPlaceholder}'`);
  }
  if (call.file !== undefined) {
    parts.push(`--data-binary ${shellQuote(`@${call.file}`)}`);
  } else if (call.body !== undefined) {
    parts.push("-H 'content-type: application/json'", `-d ${shellQuote(JSON.stringify(call.body))}`);
  }
  return parts.join(" \\\n  ");
}

function fetchCall(call: ApiCall, address: string, withKey: boolean): string {
  const headers = [...(call.body === undefined ? [] : ['"content-type": "application/json"']), ...(withKey ? [`"x-functions-key": "${keyPlaceholder}"`] : [])];
  const options = [
    ...(call.method === "GET" ? [] : [`  method: ${JSON.stringify(call.method)},`]),
    ...(headers.length > 0 ? [`  headers: { ${headers.join(", ")} },`] : []),
    ...(call.file !== undefined ? ["  body: file, // a File or Blob"] : call.body !== undefined ? [`  body: JSON.stringify(${JSON.stringify(call.body, null, 2).replaceAll("\n", "\n  ")}),`] : []),
  ];
  const request = options.length > 0 ? `, {\n${options.join("\n")}\n}` : "";
  return `const answer = await fetch(${JSON.stringify(address)}${request});\nif (!answer.ok) throw new Error((await answer.json()).detail);\nconst result = await answer.json();`;
}

function csharp(call: ApiCall, address: string, withKey: boolean): string {
  const method = `${call.method[0]}${call.method.slice(1).toLowerCase()}`;
  const lines = ["using var http = new HttpClient();", ...(withKey ? [`http.DefaultRequestHeaders.Add("x-functions-key", "${keyPlaceholder}");`] : []), `using var request = new HttpRequestMessage(HttpMethod.${method}, ${JSON.stringify(address)});`];
  if (call.file !== undefined) {
    lines.push(`request.Content = new StreamContent(File.OpenRead(${JSON.stringify(call.file)}));`);
  } else if (call.body !== undefined) {
    lines.push(`request.Content = new StringContent(\n    """\n    ${JSON.stringify(call.body)}\n    """,\n    Encoding.UTF8,\n    "application/json");`);
  }
  lines.push("using HttpResponseMessage answer = await http.SendAsync(request);", "answer.EnsureSuccessStatusCode();", "string result = await answer.Content.ReadAsStringAsync();");
  return lines.join("\n");
}
