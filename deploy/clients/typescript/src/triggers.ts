/** Triggers: schedules and inbound webhooks that start runs. */

import { rows } from "./paging.ts";
import type { EventTest, Occurrence, OccurrenceDetails, Preview, StartedOccurrence, Trigger, TriggerChanges } from "./schemas.ts";
import { path, type Transport } from "./transport.ts";
import { type CallOptions, Deadline } from "./waiting.ts";

type Common = "version" | "enabled" | "max_credits" | "webhook";
type Members<Name extends keyof TriggerChanges> = Pick<TriggerChanges, Name>;

/** Name and workflow of a trigger. */
export interface NewTrigger {
  name: string;
  workflowSlug: string;
}

export type ScheduleOptions = NewTrigger & { cron: string } & Members<Common | "timezone" | "inputs" | "overlap" | "missed">;
export type HookOptions = NewTrigger & Required<Members<"verify">> & Members<Common | "when" | "eventId" | "respond"> & { inputs?: Record<string, string> | null };

/** Which triggers a list has. */
export interface TriggerFilter {
  kind?: Trigger["kind"];
  workflowSlug?: string;
}

export class Triggers {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Make a schedule that runs a workflow. Throws InvalidRequestError, whose `body.field` names a wrong member. */
  createSchedule(schedule: ScheduleOptions, options: CallOptions = {}): Promise<Trigger> {
    return this.#create({ kind: "schedule", ...schedule }, options);
  }

  /** Make an inbound webhook: requests to its `url` run a workflow. */
  createWebhook(hook: HookOptions, options: CallOptions = {}): Promise<Trigger> {
    return this.#create({ kind: "webhook", ...hook }, options);
  }

  /** A repeated call would make another one, so a lost answer is an error. */
  #create(json: object, options: CallOptions): Promise<Trigger> {
    return this.#transport.json({ method: "POST", path: "/api/triggers", json, isRepeatable: false }, new Deadline(options));
  }

  /** Return a trigger with its last occurrence. */
  get(id: string, options: CallOptions = {}): Promise<Trigger> {
    return this.#transport.json({ method: "GET", path: path`/api/triggers/${id}` }, new Deadline(options));
  }

  /** Yield triggers, newest first. */
  list(filter: TriggerFilter = {}, options: CallOptions & { pageSize?: number } = {}): AsyncGenerator<Trigger, void, undefined> {
    return rows(this.#transport, "/api/triggers", { ...filter, limit: options.pageSize }, options);
  }

  /** Change a trigger, pause it by `enabled`. Members that are left out stay; null takes an optional one away. */
  update(id: string, changes: TriggerChanges, options: CallOptions = {}): Promise<Trigger> {
    return this.#transport.json({ method: "PATCH", path: path`/api/triggers/${id}`, json: changes }, new Deadline(options));
  }

  /** Delete a trigger; its executions stay. */
  async delete(id: string, options: CallOptions = {}): Promise<void> {
    await this.#transport.json({ method: "DELETE", path: path`/api/triggers/${id}` }, new Deadline(options));
  }

  /** Start a run of a schedule now, beside its due times. */
  run(id: string, options: CallOptions = {}): Promise<StartedOccurrence> {
    const call = { method: "POST", path: path`/api/triggers/${id}/run`, isRepeatable: false } as const;
    return this.#transport.json(call, new Deadline(options));
  }

  /** Give an inbound webhook another URL; the former one is unknown at once. */
  rotate(id: string, options: CallOptions = {}): Promise<Trigger> {
    return this.#transport.json({ method: "POST", path: path`/api/triggers/${id}/rotate` }, new Deadline(options));
  }

  /** Return the run that an event would start; none is started. */
  test(id: string, body: unknown, options: CallOptions & { headers?: Record<string, string> } = {}): Promise<EventTest> {
    const json = { body, headers: options.headers ?? {} };
    return this.#transport.json({ method: "POST", path: path`/api/triggers/${id}/test`, json }, new Deadline(options));
  }

  /** Yield the occurrences of a trigger, newest first, with their outcomes. */
  occurrences(id: string, options: CallOptions & { status?: Occurrence["status"]; pageSize?: number } = {}): AsyncGenerator<Occurrence, void, undefined> {
    return rows(this.#transport, path`/api/triggers/${id}/occurrences`, { status: options.status, limit: options.pageSize }, options);
  }

  /** Return an occurrence, with the event that caused it while that is kept. */
  occurrence(id: string, occurrenceId: string, options: CallOptions = {}): Promise<OccurrenceDetails> {
    return this.#transport.json({ method: "GET", path: path`/api/triggers/${id}/occurrences/${occurrenceId}` }, new Deadline(options));
  }

  /** Return the next due times of a cron expression: five in UTC unless told otherwise. */
  async preview(cron: string, options: CallOptions & { timezone?: string; count?: number } = {}): Promise<string[]> {
    const { timezone, count } = options;
    const call = { method: "POST", path: "/api/triggers/preview", json: { cron, timezone, count } } as const;
    const { at } = await this.#transport.json<Preview>(call, new Deadline(options));
    return at;
  }
}
