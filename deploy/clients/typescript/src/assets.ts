/** Media and documents of the account, to be inputs of runs. */

import { guessType } from "./content-types.ts";
import { rows } from "./paging.ts";
import type { Asset, Deleted } from "./schemas.ts";
import { path, type Transport } from "./transport.ts";
import { type CallOptions, Deadline } from "./waiting.ts";

export interface UploadOptions extends CallOptions {
  /** Media type of the data; by default that of the Blob, else the one that follows from the name. */
  contentType?: string;
  /** Name of the file, such as "rows.csv"; by default that of a File. Texts need it, or their type. */
  name?: string;
}

export class Assets {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Store an image, a video, a sound or a document; its `id` is then an input of runs. */
  upload(data: Blob | Uint8Array | ArrayBuffer, options: UploadOptions = {}): Promise<Asset> {
    const headers = { "content-type": options.contentType ?? typeOf(data, options.name) };
    const call = { method: "POST", path: "/api/assets", headers, raw: data as BodyInit, isRepeatable: false, route: "assets" } as const;
    return this.#transport.json(call, new Deadline(options));
  }

  /** Return one asset with a fresh signed `url`, to a smaller picture if `width` is given: of a PDF, of its `page`. */
  get(id: string, options: CallOptions & { width?: number; page?: number } = {}): Promise<Asset> {
    const query = { w: options.width, page: options.page };
    return this.#transport.json({ method: "GET", path: path`/api/assets/${id}`, query }, new Deadline(options));
  }

  /** Yield assets, newest first. */
  list(options: CallOptions & { pageSize?: number } = {}): AsyncGenerator<Asset, void, undefined> {
    return rows(this.#transport, "/api/assets", { limit: options.pageSize }, options);
  }

  delete(id: string, options: CallOptions = {}): Promise<Deleted> {
    return this.#transport.json({ method: "DELETE", path: path`/api/assets/${id}` }, new Deadline(options));
  }
}

function typeOf(data: Blob | Uint8Array | ArrayBuffer, name: string | undefined): string {
  const own = data instanceof Blob ? data.type : "";
  const { name: ownName = "" } = data as { name?: string };
  return own || guessType(name ?? ownName);
}
