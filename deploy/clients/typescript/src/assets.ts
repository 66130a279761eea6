/** Media of the account, to be inputs of runs. */

import { rows } from "./paging.ts";
import type { Asset, Deleted } from "./schemas.ts";
import { path, type Transport } from "./transport.ts";
import { type CallOptions, Deadline } from "./waiting.ts";

export interface UploadOptions extends CallOptions {
  /** Media type of the data; by default that of the Blob. */
  contentType?: string;
}

export class Assets {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Store an image, a video or a sound; its `id` is then an input of runs. */
  upload(data: Blob | Uint8Array | ArrayBuffer, options: UploadOptions = {}): Promise<Asset> {
    const type = options.contentType ?? (data instanceof Blob ? data.type : "");
    const headers = { "content-type": type || "application/octet-stream" };
    const call = { method: "POST", path: "/api/assets", headers, raw: data as BodyInit, isRepeatable: false, route: "assets" } as const;
    return this.#transport.json(call, new Deadline(options));
  }

  /** Return one asset with a fresh signed `url`. */
  get(id: string, options: CallOptions = {}): Promise<Asset> {
    return this.#transport.json({ method: "GET", path: path`/api/assets/${id}` }, new Deadline(options));
  }

  /** Yield assets, newest first. */
  list(options: CallOptions & { pageSize?: number } = {}): AsyncGenerator<Asset, void, undefined> {
    return rows(this.#transport, "/api/assets", { limit: options.pageSize }, options);
  }

  delete(id: string, options: CallOptions = {}): Promise<Deleted> {
    return this.#transport.json({ method: "DELETE", path: path`/api/assets/${id}` }, new Deadline(options));
  }
}
