/** Executions: runs that were begun, under way or over. */

import { apiError, ConflictError, ExecutionCancelledError, type ErrorBody } from "./errors.ts";
import { follow, type RunEvent } from "./events.ts";
import { rows } from "./paging.ts";
import type { Accepted, CancelledExecutions, CancelRequest, CancelRequested, Execution, ExecutionRow, NodeValues } from "./schemas.ts";
import { makeKey, path, type Transport } from "./transport.ts";
import { Backoff, type CallOptions, Deadline } from "./waiting.ts";

/** Which executions a list has, as in `GET /api/executions`. */
export interface ExecutionFilter {
  status?: Execution["status"] | readonly Execution["status"][];
  workflowSlug?: string;
  tag?: string | readonly string[];
  batchId?: string;
  triggerId?: string;
  traceId?: string;
  source?: string;
  keyId?: string;
  modelId?: string;
  errorCode?: string;
  version?: number;
  /** Created at this time or later. */
  from?: string | Date;
  /** Created before this time. */
  to?: string | Date;
  /** Start of an id. */
  q?: string;
  /** With `parentNodeId`: those that this node of this execution began, by their index. */
  parentId?: string;
  parentNodeId?: string;
}

export type EndedExecution = Execution & { status: "completed" | "failed" | "cancelled" };

const ENDED = new Set(["completed", "failed", "cancelled"]);

export class Executions {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Return one execution with its nodes. */
  get(id: string, options: CallOptions = {}): Promise<Execution> {
    return this.#transport.json({ method: "GET", path: path`/api/executions/${id}` }, new Deadline(options));
  }

  /** Yield executions, newest first. */
  list(filter: ExecutionFilter = {}, options: CallOptions & { pageSize?: number } = {}): AsyncGenerator<ExecutionRow, void, undefined> {
    return rows(this.#transport, "/api/executions", { ...filter, limit: options.pageSize }, options);
  }

  /** Return the values of one node. */
  node(id: string, nodeId: string, options: CallOptions = {}): Promise<NodeValues> {
    return this.#transport.json({ method: "GET", path: path`/api/executions/${id}/nodes/${nodeId}` }, new Deadline(options));
  }

  /** Wait until an execution has ended, and return it, however it ended. Throws WaitTimeoutError. */
  async wait(id: string, options: CallOptions = {}): Promise<EndedExecution> {
    const deadline = new Deadline(options, { executionId: id });
    const backoff = new Backoff(200, 5_000);
    for (;;) {
      const execution = await this.#transport.json<Execution>({ method: "GET", path: path`/api/executions/${id}` }, deadline);
      if (ENDED.has(execution.status)) return execution as EndedExecution;
      await deadline.pause(backoff.next());
    }
  }

  /** Yield the events of an execution, from its first or behind `lastEventId`, to its end. */
  stream(id: string, options: CallOptions & { lastEventId?: string } = {}): AsyncGenerator<RunEvent, void, undefined> {
    return follow(this.#transport, null, new Deadline(options), { executionId: id, lastEventId: options.lastEventId });
  }

  /**
   * Ask for the end of an execution; one that is cancelled already is no error.
   *
   * Throws ConflictError where it has ended otherwise.
   */
  async cancel(id: string, options: CallOptions = {}): Promise<CancelRequested> {
    try {
      return await this.#transport.json({ method: "POST", path: path`/api/executions/${id}/cancel` }, new Deadline(options));
    } catch (error) {
      // An earlier attempt was heard and its answer lost; runtimes repeat requests by themselves too.
      if (error instanceof ConflictError && error.body.status === "cancelled") return { executionId: id, status: "cancel_requested" };
      throw error;
    }
  }

  /** Ask for the end of all executions that the filter fits, at most 1,000; `more` tells of others. */
  cancelMany(filter: CancelRequest, options: CallOptions = {}): Promise<CancelledExecutions> {
    return this.#transport.json({ method: "POST", path: "/api/executions/cancel", json: filter }, new Deadline(options));
  }

  /** Run a failed execution again from its failed nodes. */
  retry(id: string, options: CallOptions & { maxCredits?: number; idempotencyKey?: string } = {}): Promise<Accepted> {
    const headers = { "idempotency-key": options.idempotencyKey ?? makeKey() };
    const query = { max_credits: options.maxCredits };
    const call = { method: "POST", path: path`/api/executions/${id}/retry`, query, headers, route: "workflows" } as const;
    return this.#transport.json(call, new Deadline(options));
  }
}

/** The error of an execution that has no result, as a caller who waits for it is told. */
export function failureOf(execution: EndedExecution): Error {
  const { executionId, error } = execution;
  if (execution.status === "cancelled") {
    const body = { error: "The execution was cancelled", code: "EXECUTION_CANCELLED", executionId };
    return new ExecutionCancelledError(409, body);
  }
  const node = execution.nodes.find((each) => each.id === error?.nodeId);
  const body: ErrorBody = { error: error?.message ?? "The execution failed", code: error?.code ?? "EXECUTION_FAILED", executionId };
  if (node) Object.assign(body, { nodeId: node.id, nodeType: node.type, nodeCode: node.error?.code, reason: node.error?.message });
  return apiError(isAboutMoney(body.code) ? 402 : 500, body);
}

function isAboutMoney(code: string | undefined): boolean {
  return code === "INSUFFICIENT_CREDITS" || code === "MAX_CREDITS_EXCEEDED";
}

