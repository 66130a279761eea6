/** Events of the account, as they happen: one connection for all tabs of the browser. */

import { useSyncExternalStore } from "react";
import { APPROVALS } from "./approvals";
import { invalidate, isRead } from "./resource";
import type { RolledBack } from "./releases";
import type { ApprovalPage } from "./schemas";
import type { RunRow, WorkflowRow } from "./types";

export type Connection = "open" | "lost" | "ended";

/** Lists of executions; single ones are read again by their ids. */
const EXECUTIONS = "/api/executions?";
const CHANGED: Record<string, string[]> = {
  "execution.started": [EXECUTIONS, "/api/triggers"],
  "execution.waiting": [APPROVALS],
  "execution.completed": [EXECUTIONS, "/api/workflows", "/api/me"],
  "execution.failed": [EXECUTIONS, "/api/workflows", "/api/me"],
  "execution.cancelled": [EXECUTIONS, "/api/workflows", "/api/me"],
  "delivery.updated": ["/api/api-keys", "/api/deliveries"],
  "balance.changed": ["/api/me", "/api/ledger"],
  "workflow.saved": ["/api/workflows"],
  "canary.rolled_back": ["/api/workflows"],
};
const SAVED = "workflow.saved";
const ROLLED_BACK = "canary.rolled_back";
const LOCK = "headrace-events";
const PATIENCE_MS = 2_500;
const RETRY_MS = 3_000;
const SETTLE_MS = 150;
const BUSY_MS = 1_000;

let connection: Connection = "open";
/** A message between tabs: the name of an event, and the row that it carries. */
interface Message {
  name: string;
  row?: WorkflowRow | RunRow | RolledBack;
}

const watchers = new Set<() => void>();
const saves = new Set<(row: WorkflowRow | null) => void>();
const runs = new Set<(row: RunRow) => void>();
const rollBacks = new Set<(row: RolledBack) => void>();
const pending = new Set<string>();
let settling = 0;
let settledAt = 0;

function show(state: Connection): void {
  if (connection === state) return;
  connection = state;
  for (const notify of watchers) notify();
}

/** Fetch changed answers again: several events in a row cost one fetch, and a stream of them one a second. */
function refresh(event: string, row?: Message["row"]): void {
  for (const prefix of event === "all" ? ["/api/"] : (CHANGED[event] ?? [])) pending.add(prefix);
  if (row && "executionId" in row) {
    pending.add(`/api/executions/${row.executionId}`);
    if (row.completedAt && asks(row.executionId)) pending.add(APPROVALS);
  }
  if (settling) return;
  settling = window.setTimeout(
    () => {
      settling = 0;
      settledAt = Date.now();
      for (const prefix of pending) invalidate(prefix);
      pending.clear();
    },
    Date.now() - settledAt < BUSY_MS ? BUSY_MS : SETTLE_MS,
  );
}

/** Whether a list of approvals that was read has one of an execution, or of one below it. */
function asks(executionId: string): boolean {
  return isRead<ApprovalPage>(APPROVALS, ({ rows }) => rows.some((each) => (each.rootId ?? each.executionId) === executionId));
}

/** The row that an event carries, without its result, which may be large. */
function rowOf(name: string, data: string): Message["row"] {
  if (name === SAVED) return JSON.parse(data) as WorkflowRow;
  if (name === ROLLED_BACK) return JSON.parse(data) as RolledBack;
  if (!name.startsWith("execution.")) return undefined;
  const { executionId, status, error, creditsCost, durationMs, startedAt, completedAt } = JSON.parse(data) as RunRow;
  return { executionId, status, error, creditsCost, durationMs, startedAt, completedAt };
}

async function isSignedIn(): Promise<boolean> {
  const page = await (await fetch("/")).text();
  return page.includes('data-session="open"');
}

/** Read the events for all tabs. Answers that were read without a connection may be old, so all are read again. */
function lead(notify: (name: string, row?: Message["row"]) => void): void {
  let lost = 0;
  let mayMiss = true;
  const connect = (): void => {
    const source = new EventSource("/api/events");
    source.onopen = () => {
      clearTimeout(lost);
      notify("open");
      if (mayMiss) notify("all");
      mayMiss = false;
    };
    source.onerror = () => {
      clearTimeout(lost);
      lost = window.setTimeout(() => notify("lost"), PATIENCE_MS);
      // A connection that broke before its first block goes on without a position.
      mayMiss = true;
      if (source.readyState !== EventSource.CLOSED) return;
      // Refused, not interrupted: browsers do not try again by themselves.
      window.setTimeout(async () => {
        const signedIn = await isSignedIn().catch(() => true);
        if (signedIn) connect();
        else notify("ended");
      }, RETRY_MS);
    };
    for (const name of Object.keys(CHANGED)) {
      source.addEventListener(name, ({ data }: MessageEvent<string>) => notify(name, rowOf(name, data)));
    }
  };
  connect();
}

/** Follow the account's events until the page is left. */
export function followEvents(): void {
  const channel = new BroadcastChannel(LOCK);
  const hear = ({ name, row }: Message): void => {
    if (name === "open" || name === "lost" || name === "ended") return show(name);
    refresh(name, row);
    if (row && "executionId" in row) for (const notify of runs) notify(row);
    else if (row && "alias" in row) for (const notify of rollBacks) notify(row);
    else if (row || name === "all") for (const notify of saves) notify(row ?? null);
  };
  channel.onmessage = (event: MessageEvent<Message>) => hear(event.data);
  const notify = (name: string, row?: Message["row"]): void => {
    const message = row ? { name, row } : { name };
    channel.postMessage(message);
    hear(message);
  };
  const held = new Promise<void>(() => {});
  if (!navigator.locks) return lead(notify);
  void navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
    if (lock) lead(notify);
    else void navigator.locks.request(LOCK, () => (lead(notify), held));
    return lock ? held : undefined;
  });
}

/** Hear of each save of a workflow of the account, with its row; null where some may have been missed. */
export function watchSaves(watcher: (row: WorkflowRow | null) => void): () => void {
  saves.add(watcher);
  return () => void saves.delete(watcher);
}

/** Hear of each execution of the account that begins or ends. */
export function watchRuns(watcher: (row: RunRow) => void): () => void {
  runs.add(watcher);
  return () => void runs.delete(watcher);
}

/** Hear of each canary of the account that is taken back by itself. */
export function watchRollBacks(watcher: (row: RolledBack) => void): () => void {
  rollBacks.add(watcher);
  return () => void rollBacks.delete(watcher);
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    (notify) => (watchers.add(notify), () => watchers.delete(notify)),
    () => connection,
  );
}
