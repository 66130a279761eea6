/** Runs of workflows, or of models. */

import { type ApiError, ConflictError } from "./errors.ts";
import { follow, type RunEvent } from "./events.ts";
import { type EndedExecution, type Executions, failureOf } from "./executions.ts";
import type { Accepted, RunResult } from "./schemas.ts";
import { type Call, makeKey, path, type Query, type Transport } from "./transport.ts";
import { type CallOptions, Deadline } from "./waiting.ts";
import type { RunWebhook } from "./webhooks.ts";

/** A workflow by its slug, or a model by its name. */
export type Target = string | { model: string };
export type Inputs = Record<string, unknown>;

export interface RunOptions extends CallOptions {
  /** A version that is kept or an alias of the workflow, instead of the live version. */
  version?: number | string | undefined;
  /** Most credits that the run may cost. */
  maxCredits?: number | undefined;
  /** At most 10 texts of 1 to 64 characters. */
  tags?: string[] | undefined;
  webhook?: RunWebhook | undefined;
  /** Names the run, so that a repeated call does not begin another; a new one by default. */
  idempotencyKey?: string | undefined;
}

/** Longest time that a request waits for the end of a run, which is polled then. Node's `fetch` gives up after 300 s. */
const LONGEST_WAIT_MS = 240_000;

export class Runs {
  readonly #transport: Transport;
  readonly #executions: Executions;

  constructor(transport: Transport, executions: Executions) {
    this.#transport = transport;
    this.#executions = executions;
  }

  /**
   * Run, wait for the end, and return the result.
   *
   * Throws ExecutionFailedError, ExecutionCancelledError, WaitTimeoutError (the run goes on) and others of ApiError.
   */
  async run<Result = unknown>(target: Target, inputs: Inputs = {}, options: RunOptions = {}): Promise<RunResult & { result: Result }> {
    const deadline = new Deadline(options);
    const call = this.#begin(target, inputs, options, {});
    let id: string;
    try {
      const answer = await this.#transport.json<RunResult | Accepted>({ ...call, longestWaitMs: LONGEST_WAIT_MS }, deadline);
      if ("success" in answer) return answer as RunResult & { result: Result };
      id = answer.executionId;
    } catch (error) {
      id = runningFor(error);
    }
    const ended = await this.#executions.wait(id, { signal: options.signal, timeoutMs: deadline.leftMs });
    if (ended.status !== "completed") throw failureOf(ended);
    return resultOf(ended) as RunResult & { result: Result };
  }

  /** Begin a run without waiting for it. */
  start(target: Target, inputs: Inputs = {}, options: RunOptions = {}): Promise<Accepted> {
    return this.#transport.json(this.#begin(target, inputs, options, { async: true }), new Deadline(options));
  }

  /** Run, and yield the events as they happen; the last one is `execution.finished`. To leave the loop ends the stream, not the run. */
  stream(target: Target, inputs: Inputs = {}, options: RunOptions = {}): AsyncGenerator<RunEvent, void, undefined> {
    const call = this.#begin(target, inputs, options, {});
    const headers = { ...call.headers, accept: "text/event-stream" };
    return follow(this.#transport, { ...call, headers }, new Deadline(options));
  }

  #begin(target: Target, inputs: Inputs, options: RunOptions, query: Query): Call {
    const { version, maxCredits, tags, webhook, idempotencyKey = makeKey() } = options;
    const isModel = typeof target !== "string";
    return {
      method: "POST",
      path: isModel ? path`/api/models/${target.model}/run` : path`/api/workflows/${target}/run`,
      query: { ...query, version, max_credits: maxCredits },
      headers: { "idempotency-key": idempotencyKey },
      json: { inputs, tags, webhook },
      route: isModel ? "models" : "workflows",
    };
  }
}

/** The execution that the first call with the key has begun. Throws any other error. */
function runningFor(error: unknown): string {
  const id = error instanceof ConflictError && error.code === "IDEMPOTENCY_KEY_IN_USE" ? (error as ApiError).executionId : null;
  if (id === null) throw error;
  return id;
}

function resultOf({ executionId, result, creditsCost, durationMs, warnings }: EndedExecution): RunResult {
  const answer: RunResult = { success: true, result, cost: creditsCost, ms: durationMs ?? 0, executionId };
  return warnings ? { ...answer, warnings } : answer;
}
