import { useRef, useState } from "react";
import { ApiError, call } from "../api/client";
import { run } from "../api/events";
import { invalidate } from "../api/resource";
import type { Execution, Status } from "../api/types";

export interface NodeState {
  id: string;
  type: string;
  status: string;
  progress?: number;
  /** Texts as they come, one for each call of the node. */
  texts: string[];
}

export interface RunState {
  status: Status | "starting" | "refused";
  executionId?: string;
  startedAt: number;
  nodes: NodeState[];
  execution?: Execution;
  error?: ApiError;
}

type Data = Record<string, unknown>;

function changed(nodes: NodeState[], data: Data, change: (node: NodeState) => NodeState): NodeState[] {
  const id = String(data.nodeId);
  const known = nodes.find((node) => node.id === id);
  if (known) return nodes.map((node) => (node === known ? change(node) : node));
  return [...nodes, change({ id, type: String(data.type), status: "running", texts: [] })];
}

/** Put a piece where it belongs: another model may begin the text anew, and `offset` counts code points. */
function grown(texts: string[], { item, offset, text }: Data): string[] {
  const place = Number(item);
  const kept = offset === 0 ? "" : Array.from(texts[place] ?? "").slice(0, Number(offset)).join("");
  const next = [...texts];
  next[place] = kept + String(text);
  return next;
}

function follow(state: RunState, name: string, data: Data): RunState {
  const next = { ...state, executionId: String(data.executionId) };
  switch (name) {
    case "execution.started":
      return { ...next, status: "processing" };
    case "node.started":
      return { ...next, nodes: changed(state.nodes, data, (node) => ({ ...node, status: "running", progress: undefined, texts: [] })) };
    case "node.progress":
      return { ...next, nodes: changed(state.nodes, data, (node) => ({ ...node, progress: Number(data.progress) })) };
    case "node.token":
      return { ...next, nodes: changed(state.nodes, data, (node) => ({ ...node, texts: grown(node.texts, data) })) };
    case "node.finished":
      return { ...next, nodes: changed(state.nodes, data, (node) => ({ ...node, status: String(data.status) })) };
    case "execution.finished": {
      const execution = data as unknown as Execution;
      return { ...next, status: execution.status, execution };
    }
    default:
      return next;
  }
}

/** One run after another, as it goes on. */
export function useRun(slug: string) {
  const [state, setState] = useState<RunState | null>(null);
  const turn = useRef(0);
  const start = async (inputs: unknown): Promise<void> => {
    const mine = ++turn.current;
    const update = (change: (state: RunState) => RunState): void => {
      if (mine === turn.current) setState((now) => now && change(now));
    };
    setState({ status: "starting", startedAt: Date.now(), nodes: [] });
    try {
      for await (const { name, data } of run(`/api/workflows/${slug}/run`, inputs)) {
        update((now) => follow(now, name, data));
      }
    } catch (error) {
      const known = error instanceof ApiError ? error : new ApiError(0, { error: String(error) });
      update((now) => ({ ...now, status: "refused", error: known }));
    }
    invalidate("/api/executions");
    invalidate("/api/me");
  };
  const show = (execution: Execution): void => {
    turn.current += 1;
    const { executionId, status } = execution;
    setState({ status, executionId, startedAt: Date.parse(execution.createdAt), nodes: [], execution });
  };
  const cancel = (): void => {
    if (state?.executionId) void call("POST", `/api/executions/${state.executionId}/cancel`).catch(() => {});
  };
  return { state, start, show, cancel };
}
