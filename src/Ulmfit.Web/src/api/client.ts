import type { ProblemBody } from "./types";

const keyItem = "ulmfit.key";
const keyHeader = "x-functions-key";
const typePrefix = "urn:ulmfit:problem:";

/** What went wrong with a call: an answer of the API, or none at all. */
export class Problem extends Error {
  /** The last part of the problem's type; "unreachable" where there was no answer. */
  readonly kind: string;
  readonly status: number;
  readonly body: ProblemBody;
  readonly retryAfterSeconds: number | null;

  constructor(status: number, body: ProblemBody, retryAfterSeconds: number | null = null) {
    super(body.detail ?? body.title ?? `HTTP ${status}`);
    this.name = "Problem";
    this.status = status;
    this.body = body;
    this.retryAfterSeconds = retryAfterSeconds;
    this.kind = status === 0 ? "unreachable" : body.type?.startsWith(typePrefix) ? body.type.slice(typePrefix.length) : `http-${status}`;
  }

  static async of(answer: Response): Promise<Problem> {
    let body: ProblemBody = {};
    if (answer.headers.get("content-type")?.includes("json")) {
      body = (await answer.json().catch(() => ({}))) as ProblemBody;
    }
    const after = Number(answer.headers.get("retry-after"));
    return new Problem(answer.status, body, Number.isFinite(after) && after > 0 ? after : null);
  }

  static from(error: unknown): Problem {
    return error instanceof Problem ? error : new Problem(0, { detail: error instanceof Error ? error.message : String(error) });
  }
}

/** Asks the person for a key; null where they would not give one. Set by the page. */
export type KeyPrompt = (refused: boolean) => Promise<string | null>;

const listeners = new Set<() => void>();
const changed = (): void => listeners.forEach((listener) => listener());
let prompt: KeyPrompt = () => Promise.resolve(null);
let asking: Promise<string | null> | null = null;

export const keys = {
  get current(): string | null {
    return sessionStorage.getItem(keyItem);
  },
  forget(): void {
    sessionStorage.removeItem(keyItem);
    changed();
  },
  /** Calls back when a key is given or forgotten. Returns what ends that. */
  onChange(listener: () => void): () => void {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  },
  askWith(how: KeyPrompt): void {
    prompt = how;
  },
  /** Asks once for all calls that wait for it. A key that has been given since `used` was sent needs no asking. */
  async ask(used: string | null): Promise<boolean> {
    if (keys.current !== used && keys.current !== null) {
      return true;
    }
    asking ??= prompt(used !== null).finally(() => (asking = null));
    const key = await asking;
    if (key !== null) {
      sessionStorage.setItem(keyItem, key);
      changed();
    }
    return key !== null;
  },
};

/** Adds the key where there is one. */
export function withKey(headers: Record<string, string>): Record<string, string> {
  const key = keys.current;
  return key === null ? headers : { ...headers, [keyHeader]: key };
}

export interface Call {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  readonly json?: unknown;
  readonly body?: BodyInit;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** Calls the API. Where it asks for a key, the person is asked, and the call is made again. Throws a Problem, or the signal's AbortError. */
export async function send(path: string, call: Call = {}): Promise<Response> {
  for (;;) {
    const used = keys.current;
    const headers = withKey({ accept: "application/json", ...call.headers });
    const request: RequestInit = { method: call.method ?? "GET", headers, cache: "no-store", credentials: "same-origin" };
    if (call.json !== undefined) {
      headers["content-type"] = "application/json";
      request.body = JSON.stringify(call.json);
    } else if (call.body !== undefined) {
      headers["content-type"] = "application/octet-stream";
      request.body = call.body;
    }
    if (call.signal) {
      request.signal = call.signal;
    }
    let answer: Response;
    try {
      answer = await fetch(path, request);
    } catch (error) {
      call.signal?.throwIfAborted();
      throw Problem.from(error);
    }
    if (answer.ok) {
      return answer;
    }
    if (answer.status === 401 && (await keys.ask(used))) {
      continue;
    }
    throw await Problem.of(answer);
  }
}

/** Calls the API and reads JSON. */
export async function get<T>(path: string, call: Call = {}): Promise<T> {
  return (await (await send(path, call)).json()) as T;
}

/** Calls the API and reads JSON with its ETag. */
export async function getTagged<T>(path: string, call: Call = {}): Promise<{ value: T; tag: string | null }> {
  const answer = await send(path, call);
  return { value: (await answer.json()) as T, tag: answer.headers.get("etag") };
}
