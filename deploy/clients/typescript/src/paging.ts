/** Lists that come in pages. */

import type { Query, Transport } from "./transport.ts";
import { type CallOptions, Deadline } from "./waiting.ts";

export interface Page<Row> {
  rows: Row[];
  nextCursor: string | null;
}

/** Yield the rows of all pages, each page as it is needed. `timeoutMs` is that of one page. */
export async function* rows<Row>(transport: Transport, path: string, query: Query, options: CallOptions): AsyncGenerator<Row, void, undefined> {
  let cursor: string | null = null;
  do {
    const call = { method: "GET", path, query: { ...query, cursor } } as const;
    const page: Page<Row> = await transport.json<Page<Row>>(call, new Deadline(options));
    yield* page.rows;
    cursor = page.nextCursor;
  } while (cursor !== null);
}
