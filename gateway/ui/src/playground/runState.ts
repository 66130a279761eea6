/** A run as its events tell it. */

import type { Waiting } from "../api/approvals";
import type { ApiError } from "../api/client";
import type { ExecutionRow, Status } from "../api/types";
import type { Children } from "../children/children";

/** The beginning of an output, as events have it. */
export interface OutputStart {
  urls?: string[];
  text?: string;
  truncated: boolean;
}

export interface NodeState {
  id: string;
  type: string;
  status: string;
  progress?: number;
  /** Texts as they come, one for each call of the node. */
  texts: string[];
  /** Times of this browser's clock. */
  startedAt?: number;
  durationMs?: number | null;
  creditsCost?: number;
  attempts?: number;
  error?: { code: string; message: string } | null;
  outputs?: Record<string, OutputStart> | null;
  /** Executions that the node has begun. */
  children?: Children;
  /** Number of events of these so far. */
  childEvents?: number;
}

export interface RunState {
  status: Status | "starting" | "refused";
  executionId?: string;
  startedAt: number;
  nodes: NodeState[];
  /** Waits of the run and of its children, as its record was read last and its events told since. */
  waits?: Waiting[];
  execution?: ExecutionRow;
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
  const former = offset === 0 ? "" : Array.from(texts[place] ?? "").slice(0, Number(offset)).join("");
  const next = [...texts];
  next[place] = former + String(text);
  return next;
}

function started(data: Data): Partial<NodeState> {
  return { status: "running", progress: undefined, texts: [], startedAt: Date.now(), attempts: Number(data.attempt) };
}

function ended({ status, attempts, durationMs, creditsCost, error, outputs }: Data): Partial<NodeState> {
  return { status, attempts, durationMs, creditsCost, error, outputs } as Partial<NodeState>;
}

const ENDED = new Set(["completed", "failed", "skipped", "cancelled"]);

export function isOver({ status }: RunState): boolean {
  return status === "refused" || ENDED.has(status);
}

/** Whether a wait is one of the run itself, and not of a child. */
export function isOfRun({ executionId }: Waiting, run: RunState): boolean {
  return executionId === undefined || executionId === run.executionId;
}

/** The waits of a run and its children that go on, as far as they are known. */
export function openWaits(run: RunState): Waiting[] {
  if (isOver(run)) return [];
  const ended = new Set(run.nodes.filter(({ status }) => ENDED.has(status)).map(({ id }) => id));
  return (run.waits ?? []).filter((wait) => !isOfRun(wait, run) || !ended.has(wait.nodeId));
}

/** The event of a wait names the run, and the child that waits where it is one. */
function withWait(state: RunState, { executionId: _, childExecutionId, ...data }: Data): RunState {
  const wait = { ...data, ...(childExecutionId !== undefined && { executionId: childExecutionId }) } as unknown as Waiting;
  const idOf = ({ executionId = state.executionId }: Waiting) => executionId;
  const waits = (state.waits ?? []).filter((each) => each.nodeId !== wait.nodeId || idOf(each) !== idOf(wait));
  const next = { ...state, waits: [...waits, wait] };
  if (!isOfRun(wait, state)) return next;
  return { ...next, nodes: changed(state.nodes, data, (node) => ({ ...node, status: "waiting" })) };
}

/** The run after a further event. */
export function withEvent(state: RunState, name: string, data: Data): RunState {
  const next = { ...state, executionId: String(data.executionId) };
  switch (name) {
    case "execution.started":
      return { ...next, status: "processing" };
    case "execution.waiting":
      return withWait(next, data);
    case "node.started":
      return { ...next, nodes: changed(state.nodes, data, (node) => ({ ...node, ...started(data) })) };
    case "node.retrying":
      return { ...next, nodes: changed(state.nodes, data, (node) => ({ ...node, status: "retrying" })) };
    case "node.progress":
      return { ...next, nodes: changed(state.nodes, data, (node) => ({ ...node, progress: Number(data.progress) })) };
    case "node.token":
      return { ...next, nodes: changed(state.nodes, data, (node) => ({ ...node, texts: grown(node.texts, data) })) };
    case "child.started":
    case "child.finished":
      return { ...next, nodes: state.nodes.map((node) => (node.id === data.nodeId ? { ...node, childEvents: (node.childEvents ?? 0) + 1 } : node)) };
    case "node.finished":
      return { ...next, nodes: changed(state.nodes, data, (node) => ({ ...node, ...ended(data) })) };
    case "execution.finished": {
      const execution = data as unknown as ExecutionRow;
      return { ...next, status: execution.status, execution };
    }
    default:
      return next;
  }
}
