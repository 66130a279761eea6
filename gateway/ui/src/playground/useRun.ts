import { useRef, useState } from "react";
import { ApiError, call } from "../api/client";
import { run } from "../api/events";
import { invalidate } from "../api/resource";
import type { ExecutionRow } from "../api/types";
import { type RunState, withEvent } from "./runState";

/** One run after another, as it goes on. */
export function useRun(slug: string) {
  const [state, setState] = useState<RunState | null>(null);
  const turn = useRef(0);
  const start = async (body: object): Promise<void> => {
    const mine = ++turn.current;
    const update = (change: (state: RunState) => RunState): void => {
      if (mine === turn.current) setState((now) => now && change(now));
    };
    setState({ status: "starting", startedAt: Date.now(), nodes: [] });
    try {
      for await (const { name, data } of run(`/api/workflows/${slug}/run`, body)) {
        update((now) => withEvent(now, name, data));
      }
    } catch (error) {
      const known = error instanceof ApiError ? error : new ApiError(0, { error: String(error) });
      update((now) => ({ ...now, status: "refused", error: known }));
    }
    invalidate("/api/executions");
    invalidate("/api/me");
  };
  const show = (execution: ExecutionRow): void => {
    turn.current += 1;
    const { executionId, status } = execution;
    setState({ status, executionId, startedAt: Date.parse(execution.createdAt), nodes: [], execution });
  };
  const cancel = (): void => {
    if (state?.executionId) void call("POST", `/api/executions/${state.executionId}/cancel`).catch(() => {});
  };
  return { state, start, show, cancel };
}
