/** The client. */

import { Assets } from "./assets.ts";
import { Batches } from "./batches.ts";
import type { RunEvent } from "./events.ts";
import { type EndedExecution, Executions } from "./executions.ts";
import { type Inputs, type RunOptions, Runs } from "./runs.ts";
import type { Accepted, RunResult, WhoAmI } from "./schemas.ts";
import { type ClientOptions, Transport } from "./transport.ts";
import { type CallOptions, Deadline } from "./waiting.ts";
import { verifyWebhook, type WebhookEvent, type WebhookToVerify } from "./webhooks.ts";

export class Headrace {
  readonly batch: Batches;
  readonly executions: Executions;
  readonly assets: Assets;
  /** Runs of models, by their internal names: `run`, `start` and `stream`. */
  readonly models: Runs;
  readonly #transport: Transport;
  readonly #workflows: Runs;

  /** Check a webhook and return its event. Throws WebhookVerificationError. */
  static verifyWebhook(webhook: WebhookToVerify): Promise<WebhookEvent> {
    return verifyWebhook(webhook);
  }

  constructor(options: ClientOptions = {}) {
    this.#transport = new Transport(options);
    this.batch = new Batches(this.#transport);
    this.executions = new Executions(this.#transport);
    this.assets = new Assets(this.#transport);
    this.models = new Runs(this.#transport, this.executions, "models");
    this.#workflows = new Runs(this.#transport, this.executions, "workflows");
  }

  /**
   * Run a workflow, wait for its end, and return its result.
   *
   * Throws ExecutionFailedError, ExecutionCancelledError, WaitTimeoutError (the run goes on) and others of ApiError.
   */
  run<Result = unknown>(slug: string, inputs: Inputs = {}, options: RunOptions = {}): Promise<RunResult & { result: Result }> {
    return this.#workflows.run<Result>(slug, inputs, options);
  }

  /** Begin a run of a workflow without waiting for it. */
  start(slug: string, inputs: Inputs = {}, options: RunOptions = {}): Promise<Accepted> {
    return this.#workflows.start(slug, inputs, options);
  }

  /** Wait until an execution has ended, and return it, however it ended. Throws WaitTimeoutError. */
  wait(executionId: string, options: CallOptions = {}): Promise<EndedExecution> {
    return this.executions.wait(executionId, options);
  }

  /** Run a workflow and yield its events as they happen; the last one is `execution.finished`. To leave the loop ends the stream, not the run. */
  stream(slug: string, inputs: Inputs = {}, options: RunOptions = {}): AsyncGenerator<RunEvent, void, undefined> {
    return this.#workflows.stream(slug, inputs, options);
  }

  /** Return the account of the key. */
  whoami(options: CallOptions = {}): Promise<WhoAmI> {
    return this.#transport.json({ method: "GET", path: "/api/whoami" }, new Deadline(options));
  }
}
