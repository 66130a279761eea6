/** Approvals: questions of runs that wait for the answer of a person. */

import { rows } from "./paging.ts";
import type { Answer, AnswerRequest, ApprovalPage } from "./schemas.ts";
import { path, type Transport } from "./transport.ts";
import { type CallOptions, Deadline } from "./waiting.ts";

/** An approval that waits for an answer. */
export type Approval = ApprovalPage["rows"][number];
export type AnswerOptions = CallOptions & { fields?: AnswerRequest["fields"]; note?: string };

export class Approvals {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Yield approvals that wait, newest first. */
  list(options: CallOptions & { pageSize?: number } = {}): AsyncGenerator<Approval, void, undefined> {
    return rows(this.#transport, "/api/approvals", { limit: options.pageSize }, options);
  }

  /** Let a run go on. Throws ConflictError, whose `body.decision` is that of an earlier answer. */
  approve(executionId: string, nodeId: string, options: AnswerOptions = {}): Promise<Answer> {
    return this.#answer(executionId, nodeId, "approve", options);
  }

  /** Send a run its other way. Throws ConflictError as `approve`. */
  refuse(executionId: string, nodeId: string, options: AnswerOptions = {}): Promise<Answer> {
    return this.#answer(executionId, nodeId, "refuse", options);
  }

  /** A repeated call would find its own answer as that of another, so a lost one is an error. */
  #answer(executionId: string, nodeId: string, decision: AnswerRequest["decision"], { fields, note, ...options }: AnswerOptions): Promise<Answer> {
    const json = { decision, fields: fields ?? {}, note: note ?? null };
    const call = { method: "POST", path: path`/api/executions/${executionId}/approvals/${nodeId}`, json, isRepeatable: false } as const;
    return this.#transport.json(call, new Deadline(options));
  }
}
