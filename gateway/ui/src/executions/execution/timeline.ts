/** Where the bars of nodes stand in time. */

import type { ExecutionNode, NodeAttempt, NodeValues } from "../../api/types";
import { isWait, type Scale } from "./scale";

export interface Bar {
  kind: "waited" | "queued" | "ran" | "failed" | "running" | "pause" | "waiting";
  /** Milliseconds from the begin of the execution. */
  from: number;
  to: number;
}


/** Where a delay or an approval waited, or waits; a failed one had nobody answer it. */
function barOfWait(node: ExecutionNode, { begin, length }: Scale): Bar[] {
  if (!node.startedAt) return [];
  const from = Date.parse(node.startedAt) - begin;
  return [{ kind: "waiting", from, to: node.durationMs === null ? length : from + node.durationMs }];
}

/** Where a node waited for another one: from the begin until its first attempt was queued. */
export function waitOf(node: ExecutionNode, values: NodeValues | undefined, { begin }: Scale): Bar[] {
  if (!node.startedAt) return [];
  const [first] = values?.attempts ?? [];
  const to = first ? Date.parse(first.startedAt) - first.queuedMs : Date.parse(node.startedAt);
  return to > begin ? [{ kind: "waited", from: 0, to: to - begin }] : [];
}

export function barsOf(node: ExecutionNode, values: NodeValues | undefined, scale: Scale): Bar[] {
  if (isWait(node)) return barOfWait(node, scale);
  if (values && values.attempts.length > 0) return values.attempts.flatMap((each, place) => barsOfAttempt(each, values.attempts[place - 1], scale));
  if (!node.startedAt) return [];
  const from = Date.parse(node.startedAt) - scale.begin;
  if (node.durationMs === null) return [{ kind: "running", from, to: scale.length }];
  return [{ kind: node.status === "failed" ? "failed" : "ran", from, to: from + node.durationMs }];
}

function barsOfAttempt(attempt: NodeAttempt, before: NodeAttempt | undefined, { begin, length }: Scale): Bar[] {
  const from = Date.parse(attempt.startedAt) - begin;
  const to = attempt.endedAt ? Date.parse(attempt.endedAt) - begin : length;
  const queued = Math.max(0, from - attempt.queuedMs);
  const bars: Bar[] = [];
  if (before?.endedAt) bars.push({ kind: "pause", from: Date.parse(before.endedAt) - begin, to: queued });
  if (attempt.queuedMs > 0) bars.push({ kind: "queued", from: queued, to: from });
  bars.push({ kind: attempt.error ? "failed" : attempt.endedAt ? "ran" : "running", from, to });
  return bars.filter((bar) => bar.to >= bar.from);
}

/** The status of a node in words: one that waits for executions below it has them run. */
export function statusOf(node: ExecutionNode): string {
  return node.status === "waiting" && !isWait(node) ? "running" : node.status;
}

/** Node types that call a model, and so wait for the turn of its provider. */
const OF_MODELS = ["assistant", "imageGenerator", "videoGenerator", "musicGenerator", "customModel"];

/** The turn for which a node waited. */
export function turnOf({ type }: ExecutionNode): string {
  return OF_MODELS.includes(type) ? "the provider's turn" : "its turn";
}

/** Milliseconds of all attempts at a node. */
export function workOf(node: ExecutionNode, values: NodeValues | undefined): number {
  const attempts = values?.attempts ?? [];
  if (attempts.length < 2 || isWait(node)) return node.durationMs ?? 0;
  return attempts.reduce((sum, { startedAt, endedAt }) => sum + (endedAt ? Date.parse(endedAt) - Date.parse(startedAt) : 0), 0);
}

/** Nodes in the order in which they began: first those that a retry has taken over, last those that never did. */
export function inOrder(nodes: ExecutionNode[]): ExecutionNode[] {
  const began = (node: ExecutionNode): number => 
    node.startedAt ? Date.parse(node.startedAt) : node.status === "completed" ? 0 : Number.POSITIVE_INFINITY;
  return nodes
    .map((node, place) => ({ node, place, at: began(node) }))
    .sort((one, other) => (one.at === other.at ? one.place - other.place : one.at - other.at))
    .map(({ node }) => node);
}
