/** Lists that come page by page. */

import { useEffect, useState } from "react";
import { ApiError, get } from "./client";
import { useResource } from "./resource";
import type { Page } from "./types";

export interface Rows<T> {
  rows: T[] | undefined;
  error: ApiError | undefined;
  reload: () => void;
  /** Fetch the next page; undefined after the last one. */
  more: (() => Promise<void>) | undefined;
}

/** Read the first page of a list, which is kept current, and further ones when asked. */
export function usePages<T>(path: string): Rows<T> {
  const first = useResource<Page<T>>(path);
  const [further, setFurther] = useState<Page<T>>({ rows: [], nextCursor: null });
  const [error, setError] = useState<ApiError>();
  // A first page that was read anew may overlap those after it.
  useEffect(() => setFurther({ rows: [], nextCursor: first.data?.nextCursor ?? null }), [first.data]);
  const cursor = further.nextCursor;
  const more = async (): Promise<void> => {
    const sign = path.includes("?") ? "&" : "?";
    try {
      const page = await get<Page<T>>(`${path}${sign}cursor=${encodeURIComponent(cursor ?? "")}`);
      setFurther((before) => ({ rows: [...before.rows, ...page.rows], nextCursor: page.nextCursor }));
    } catch (reason) {
      setError(reason instanceof ApiError ? reason : new ApiError(0, { error: String(reason) }));
    }
  };
  return {
    rows: first.data && [...first.data.rows, ...further.rows],
    error: first.error ?? error,
    reload: first.reload,
    more: cursor === null ? undefined : more,
  };
}
