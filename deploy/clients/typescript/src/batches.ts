/** Batches: many runs of one workflow with one handle. */

import { rows } from "./paging.ts";
import type { Batch, BatchItem, BatchItemRequest, BatchRequest, StartedBatch } from "./schemas.ts";
import { makeKey, path, type Transport } from "./transport.ts";
import { Backoff, type CallOptions, Deadline } from "./waiting.ts";

export interface BatchOptions extends CallOptions {
  /** Items that run at a time, 1 to 100; 20 by default. */
  concurrency?: number;
  /** A version that is kept, or an alias as it stands at the start. */
  version?: number | string;
  /** Tags of every item. */
  tags?: string[];
  /** Told of the end of the batch; it takes no `events`. */
  webhook?: NonNullable<BatchRequest["webhook"]>;
  idempotencyKey?: string;
}

export type ItemStatus = BatchItem["status"];

export class Batches {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Begin a batch of 1 to 1,000 items. Throws InvalidRequestError, with `body.items`, before any has begun. */
  start(slug: string, items: readonly BatchItemRequest[], options: BatchOptions = {}): Promise<StartedBatch> {
    const { concurrency, version, tags, webhook, idempotencyKey = makeKey() } = options;
    const call = {
      method: "POST",
      path: path`/api/workflows/${slug}/batch`,
      query: { version },
      headers: { "idempotency-key": idempotencyKey },
      json: { items, tags, webhook, concurrency },
      route: "workflows",
    } as const;
    return this.#transport.json(call, new Deadline(options));
  }

  get(id: string, options: CallOptions = {}): Promise<Batch> {
    return this.#transport.json({ method: "GET", path: path`/api/batches/${id}` }, new Deadline(options));
  }

  /** Wait until a batch has ended, and return it. Throws WaitTimeoutError; the batch goes on then. */
  async wait(id: string, options: CallOptions & { onProgress?: (batch: Batch) => void } = {}): Promise<Batch> {
    const deadline = new Deadline(options, { batchId: id });
    const backoff = new Backoff(300, 5_000);
    for (;;) {
      const batch = await this.#transport.json<Batch>({ method: "GET", path: path`/api/batches/${id}` }, deadline);
      options.onProgress?.(batch);
      if (batch.completedAt !== null) return batch;
      await deadline.pause(backoff.next());
    }
  }

  /** Yield the items by index, with their results. */
  items(id: string, options: CallOptions & { status?: ItemStatus | readonly ItemStatus[]; pageSize?: number } = {}): AsyncGenerator<BatchItem, void, undefined> {
    return rows(this.#transport, path`/api/batches/${id}/items`, { status: options.status, limit: options.pageSize }, options);
  }

  /** Yield batches, newest first. */
  list(options: CallOptions & { pageSize?: number } = {}): AsyncGenerator<Batch, void, undefined> {
    return rows(this.#transport, "/api/batches", { limit: options.pageSize }, options);
  }

  /** Queued items never begin, and running ones are cancelled. */
  cancel(id: string, options: CallOptions = {}): Promise<Pick<Batch, "batchId">> {
    return this.#transport.json({ method: "POST", path: path`/api/batches/${id}/cancel` }, new Deadline(options));
  }

  /** Begin a new batch of the failed items. Throws ConflictError while the batch runs, and where none failed. */
  retry(id: string, options: CallOptions = {}): Promise<StartedBatch> {
    const call = { method: "POST", path: path`/api/batches/${id}/retry`, route: "workflows" } as const;
    return this.#transport.json(call, new Deadline(options));
  }
}
