import { get, keys, Problem, withKey } from "./client";
import { EventStreamReader } from "./event-stream";
import type { Run, RunStatus } from "./types";

export type Connection = "connecting" | "live" | "lost" | "ended";

export interface Watcher {
  run(run: Run): void;
  connection(state: Connection): void;
  failed(problem: Problem): void;
}

const firstDelay = 1000;
const longestDelay = 15000;

export const isFinal = (status: RunStatus): boolean => status !== "queued" && status !== "running";

/** Follows a run over server-sent events until it has ended. Returns what stops it. */
export function watchRun(id: string, watcher: Watcher): () => void {
  const stop = new AbortController();
  const path = `/api/runs/${encodeURIComponent(id)}/events`;
  const take = (text: string): boolean => {
    const run = JSON.parse(text) as Run;
    watcher.run(run);
    if (isFinal(run.status)) {
      watcher.connection("ended");
      stop.abort();
    }
    return !stop.signal.aborted;
  };
  watcher.connection("connecting");
  if (keys.current === null) {
    follow(id, path, take, watcher, stop);
  } else {
    void fetchStream(path, take, watcher, stop.signal);
  }
  return () => stop.abort();
}

/** Without a key the browser's own EventSource does: it comes again by itself. */
function follow(id: string, path: string, take: (text: string) => boolean, watcher: Watcher, stop: AbortController): void {
  const source = new EventSource(path);
  stop.signal.addEventListener("abort", () => source.close());
  source.addEventListener("open", () => watcher.connection("live"));
  source.addEventListener("run", (message: MessageEvent<string>) => take(message.data));
  source.addEventListener("error", () => {
    if (stop.signal.aborted) {
      return;
    }
    watcher.connection("lost");
    if (source.readyState === EventSource.CLOSED) {
      // An EventSource does not tell what was answered; one ordinary call does, and asks for a key where that is what is missing.
      get<Run>(`/api/runs/${encodeURIComponent(id)}`, { signal: stop.signal }).then(
        (run) => {
          watcher.run(run);
          if (isFinal(run.status)) {
            watcher.connection("ended");
          } else {
            void fetchStream(path, take, watcher, stop.signal);
          }
        },
        (error: unknown) => {
          if (!stop.signal.aborted) {
            watcher.failed(Problem.from(error));
          }
        },
      );
    }
  });
}

/** With a key: an EventSource sends no headers, so the stream is read by fetch. */
async function fetchStream(path: string, take: (text: string) => boolean, watcher: Watcher, signal: AbortSignal): Promise<void> {
  let last: string | null = null;
  let delay = firstDelay;
  while (!signal.aborted) {
    try {
      const used = keys.current;
      const headers = withKey({ accept: "text/event-stream", ...(last === null ? {} : { "last-event-id": last }) });
      const answer = await fetch(path, { headers, signal, cache: "no-store" });
      if (answer.status === 204) {
        watcher.connection("ended");
        return;
      }
      if (answer.status === 401 && (await keys.ask(used))) {
        continue;
      }
      if (!answer.ok || !answer.body) {
        const problem = await Problem.of(answer);
        if (answer.status < 500 && answer.status !== 429) {
          watcher.failed(problem);
          return;
        }
        throw problem;
      }
      watcher.connection("live");
      const reader = new EventStreamReader();
      const text = new TextDecoder();
      const body = answer.body.getReader();
      for (let part = await body.read(); !part.done; part = await body.read()) {
        delay = firstDelay;
        for (const message of reader.read(text.decode(part.value, { stream: true }))) {
          last = message.id ?? last;
          if (message.event === "run" && !take(message.data)) {
            return;
          }
        }
      }
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      watcher.connection("lost");
      if (error instanceof Problem && error.retryAfterSeconds !== null) {
        delay = Math.max(delay, error.retryAfterSeconds * 1000);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, delay));
    delay = Math.min(delay * 2, longestDelay);
  }
}
