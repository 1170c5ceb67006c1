import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { getTagged, Problem } from "../api/client";

export interface Resource<T> {
  readonly value: T | null;
  readonly tag: string | null;
  readonly problem: Problem | null;
  readonly loading: boolean;
  reload(): void;
  /** Puts what another call has answered in its place. */
  set(value: T, tag?: string | null): void;
}

interface State<T> {
  readonly path: string | null;
  readonly value: T | null;
  readonly tag: string | null;
  readonly problem: Problem | null;
}

/** What stands at an address; null where there is none yet. What was read stays while it is read anew. */
export function useResource<T>(path: string | null): Resource<T> {
  const [state, setState] = useState<State<T>>({ path, value: null, tag: null, problem: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === null) {
      return;
    }
    const stop = new AbortController();
    getTagged<T>(path, { signal: stop.signal }).then(
      ({ value, tag }) => {
        if (!stop.signal.aborted) {
          setState({ path, value, tag, problem: null });
        }
      },
      (error: unknown) => {
        if (!stop.signal.aborted) {
          setState((before) => ({ path, value: before.path === path ? before.value : null, tag: before.path === path ? before.tag : null, problem: Problem.from(error) }));
        }
      },
    );
    return () => stop.abort();
  }, [path, turn]);
  const fresh = state.path === path;
  return {
    value: fresh ? state.value : null,
    tag: fresh ? state.tag : null,
    problem: fresh ? state.problem : null,
    loading: path !== null && (!fresh || (state.value === null && state.problem === null)),
    reload: useCallback(() => setTurn((before) => before + 1), []),
    set: useCallback((value: T, tag: string | null = null) => setState({ path, value, tag, problem: null }), [path]),
  };
}

/** Calls again and again with growing pauses while something is awaited that tells nothing of itself, and when the page is looked at again. */
export function useAwaiting(awaited: boolean, look: () => void): void {
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => {
    if (!awaited) {
      return;
    }
    let pause = 500;
    let timer = 0;
    const next = (): void => {
      timer = window.setTimeout(() => {
        if (document.visibilityState === "visible") {
          latest.current();
        }
        pause = Math.min(pause * 1.3, 5000);
        next();
      }, pause);
    };
    next();
    return () => window.clearTimeout(timer);
  }, [awaited]);
}

/** The present second, for times that run. */
export function useNow(running: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!running) {
      return;
    }
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, [running]);
  return now;
}

/** Whether a call is on its way, and what went wrong with the last. */
export function useCall(): { readonly busy: boolean; readonly problem: Problem | null; run(work: () => Promise<void>): Promise<void>; clear(): void } {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  return {
    busy,
    problem,
    clear: () => setProblem(null),
    run: async (work) => {
      setBusy(true);
      setProblem(null);
      try {
        await work();
      } catch (error) {
        setProblem(Problem.from(error));
      } finally {
        setBusy(false);
      }
    },
  };
}
