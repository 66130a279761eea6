/** Events of a run, as they happen: server-sent events, taken up again where a connection broke. */

import { ApiError, ConnectionFailedError, ConflictError, HeadraceError } from "./errors.ts";
import { readServerSentEvents } from "./server-sent-events.ts";
import type { Execution } from "./schemas.ts";
import { type Call, path, type Transport } from "./transport.ts";
import { Backoff, type Deadline } from "./waiting.ts";

interface OfExecution {
  executionId: string;
}

interface OfNode extends OfExecution {
  nodeId: string;
  type: string;
}

interface OfChild extends OfExecution {
  childExecutionId: string;
  parentId: string;
  nodeId: string;
  /** Of the item, from 0. */
  index: number;
}

/** A node that waits, for a time or for the answer of a person; a delay has no title, message and form. */
export type WaitingFor = Omit<Execution["waitingFor"][number], "url" | "executionId">;

/** Data of each event, by its name. */
export interface RunEvents {
  "execution.started": OfExecution & { status: string; pollUrl: string; eventsUrl: string };
  "node.started": OfNode & { attempt: number };
  /** `progress` from 0 to 1, of the call `item` in this `attempt`. */
  "node.progress": OfNode & { attempt: number; item: number; progress: number };
  /** A piece of a model's text, behind `offset` characters. */
  "node.token": OfNode & { attempt: number; item: number; offset: number; text: string };
  /** There is another attempt in `delayMs`; null: it was under way before. */
  "node.retrying": OfNode & { attempt: number; delayMs: number | null };
  "node.finished": OfNode & {
    status: "completed" | "failed" | "skipped" | "cancelled";
    attempts: number;
    durationMs: number | null;
    creditsCost: number;
    error: { code: string; message: string } | null;
    outputs?: Record<string, unknown>;
  };
  /** A node waits; with `childExecutionId`, a node of that execution below this one. */
  "execution.waiting": OfExecution & WaitingFor & { childExecutionId?: string };
  /** A node began an execution: of `parentId`, which is this one or one below it. */
  "child.started": OfChild & { status: "processing" };
  "child.finished": OfChild & { status: "completed" | "failed" | "cancelled" };
  /** The last event: the execution without its nodes and inputs. */
  "execution.finished": OfExecution & Pick<Execution, "status" | "result" | "error" | "creditsCost" | "durationMs">;
}

/** One event; later servers may send others. */
export type RunEvent = {
  [Name in keyof RunEvents]: { id: string; event: Name; data: RunEvents[Name] };
}[keyof RunEvents];

const LAST = "execution.finished";
/** Comments come every 15 s: a connection that is silent for longer is broken. */
const SILENCE_MS = 45_000;

/** Yield the events of a run to its end. `begin` starts it, and is repeated until one event has come. */
export async function* follow(transport: Transport, begin: Call | null, deadline: Deadline, from: Position = {}): AsyncGenerator<RunEvent, void, undefined> {
  const position: Position = { ...from };
  let backoff = new Backoff(250, 4_000);
  let failures = 0;
  for (;;) {
    const call = position.executionId ? watching(position) : begin;
    if (!call) throw new HeadraceError("There is no execution to watch");
    try {
      for await (const event of connection(transport, call, position, deadline)) {
        position.executionId ??= event.data.executionId;
        deadline.waited = { executionId: position.executionId };
        position.lastEventId = event.id;
        yield event;
        if (event.event === LAST) return;
        [failures, backoff] = [0, new Backoff(250, 4_000)];
      }
      if (position.isOver) return;
    } catch (error) {
      position.executionId ??= executionOf(error);
      if (!(error instanceof ConnectionFailedError) && !isRunning(error)) throw error;
      if (++failures > transport.maxRetries) throw error;
    }
    await deadline.pause(backoff.next());
  }
}

/** How far the events of an execution have come. */
export interface Position {
  executionId?: string | undefined;
  lastEventId?: string | undefined;
  /** Whether nothing comes behind the last event. */
  isOver?: boolean;
}

function watching({ executionId = "", lastEventId }: Position): Call {
  const headers: Record<string, string> = { accept: "text/event-stream" };
  if (lastEventId !== undefined) headers["last-event-id"] = lastEventId;
  return { method: "GET", path: path`/api/executions/${executionId}/events`, headers };
}

async function* connection(transport: Transport, call: Call, position: Position, deadline: Deadline): AsyncGenerator<RunEvent, void, undefined> {
  const { response, hangUp } = await transport.open(call, deadline);
  const broken = (): void => hangUp(new ConnectionFailedError("The stream of events is silent"));
  const silenceMs = (): number => Math.min(SILENCE_MS, deadline.leftMs);
  let timer = setTimeout(broken, silenceMs());
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(broken, silenceMs());
  };
  try {
    position.isOver = response.status === 204;
    if (!response.body) return;
    for await (const { id, event, data } of readServerSentEvents(response.body, heard)) {
      yield { id, event, data: JSON.parse(data) } as RunEvent;
    }
  } catch (error) {
    deadline.check();
    if (error instanceof HeadraceError) throw error;
    throw new ConnectionFailedError("The stream of events broke off", { cause: error });
  } finally {
    clearTimeout(timer);
    hangUp();
  }
}

/** Whether the first call with the key is still under way, so that its events are to be had by its id. */
function isRunning(error: unknown): boolean {
  return error instanceof ConflictError && error.code === "IDEMPOTENCY_KEY_IN_USE";
}

function executionOf(error: unknown): string | undefined {
  return isRunning(error) ? ((error as ApiError).executionId ?? undefined) : undefined;
}
