/** The client. */

import { Approvals } from "./approvals.ts";
import { Assets } from "./assets.ts";
import { Batches } from "./batches.ts";
import type { RunEvent } from "./events.ts";
import { type EndedExecution, Executions } from "./executions.ts";
import { type Inputs, type RunOptions, Runs, type Target } from "./runs.ts";
import type { Accepted, RunResult, WhoAmI } from "./schemas.ts";
import { type ClientOptions, Transport } from "./transport.ts";
import { Triggers } from "./triggers.ts";
import { type CallOptions, Deadline } from "./waiting.ts";
import { verifyWebhook, type WebhookEvent, type WebhookToVerify } from "./webhooks.ts";

export class Headrace {
  readonly batch: Batches;
  readonly executions: Executions;
  readonly triggers: Triggers;
  readonly approvals: Approvals;
  readonly assets: Assets;
  readonly #transport: Transport;
  readonly #runs: Runs;

  /** Check a webhook and return its event. Throws WebhookVerificationError. */
  static verifyWebhook(webhook: WebhookToVerify): Promise<WebhookEvent> {
    return verifyWebhook(webhook);
  }

  constructor(options: ClientOptions = {}) {
    this.#transport = new Transport(options);
    this.batch = new Batches(this.#transport);
    this.executions = new Executions(this.#transport);
    this.triggers = new Triggers(this.#transport);
    this.approvals = new Approvals(this.#transport);
    this.assets = new Assets(this.#transport);
    this.#runs = new Runs(this.#transport, this.executions);
  }

  /**
   * Run a workflow, or `{ model: name }`, wait for its end, and return its result.
   *
   * Throws ExecutionFailedError, ExecutionCancelledError, WaitTimeoutError (the run goes on) and others of ApiError.
   */
  run<Result = unknown>(target: Target, inputs: Inputs = {}, options: RunOptions = {}): Promise<RunResult & { result: Result }> {
    return this.#runs.run<Result>(target, inputs, options);
  }

  /** Begin a run without waiting for it. */
  start(target: Target, inputs: Inputs = {}, options: RunOptions = {}): Promise<Accepted> {
    return this.#runs.start(target, inputs, options);
  }

  /** Wait until an execution has ended, and return it, however it ended. Throws WaitTimeoutError. */
  wait(executionId: string, options: CallOptions = {}): Promise<EndedExecution> {
    return this.executions.wait(executionId, options);
  }

  /** Run, and yield its events as they happen; the last one is `execution.finished`. To leave the loop ends the stream, not the run. */
  stream(target: Target, inputs: Inputs = {}, options: RunOptions = {}): AsyncGenerator<RunEvent, void, undefined> {
    return this.#runs.stream(target, inputs, options);
  }

  /** Return the account of the key. */
  whoami(options: CallOptions = {}): Promise<WhoAmI> {
    return this.#transport.json({ method: "GET", path: "/api/whoami" }, new Deadline(options));
  }
}
