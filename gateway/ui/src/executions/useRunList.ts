/** A list of executions of any length: pages are fetched as one scrolls, and rows change as they go on. */

import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError, get } from "../api/client";
import { watchRuns } from "../api/live";
import { useResource } from "../api/resource";
import type { ExecutionRow, Page } from "../api/types";

export type Row = Omit<ExecutionRow, "result">;

interface List {
  rows: Row[];
  cursor: string | null;
}

const FIRST = 100;
const FURTHER = 500;

/** Results are left out: thousands of them would fill the memory. */
function without({ result: _, ...row }: ExecutionRow): Row {
  return row;
}

function isBefore(one: Row, other: Row): boolean {
  return one.createdAt !== other.createdAt ? one.createdAt < other.createdAt : one.executionId < other.executionId;
}

/** Put the newest page before the rows that are known; begin anew where rows between them may be missing. */
export function merged(known: List | undefined, page: Page<ExecutionRow>): List {
  const rows = page.rows.map(without);
  const last = rows.at(-1);
  if (!known || !last || page.nextCursor === null) return { rows, cursor: page.nextCursor };
  const ids = new Set(rows.map((row) => row.executionId));
  if (!known.rows.some((row) => ids.has(row.executionId))) return { rows, cursor: page.nextCursor };
  const older = known.rows.filter((row) => isBefore(row, last));
  return { rows: [...rows, ...older], cursor: older.length > 0 ? known.cursor : page.nextCursor };
}

export function useRunList(query: string, statuses: string[]) {
  const path = `/api/executions?${query}${query && "&"}`;
  const first = useResource<Page<ExecutionRow>>(`${path}limit=${FIRST}`);
  const [list, setList] = useState<List>();
  const [error, setError] = useState<ApiError>();
  const isFetching = useRef(false);
  useEffect(() => {
    if (first.data) setList((known) => merged(known, first.data as Page<ExecutionRow>));
  }, [first.data]);
  const wanted = statuses.join();
  useEffect(
    () =>
      watchRuns((row) =>
        setList((known) => {
          if (!known?.rows.some((each) => each.executionId === row.executionId)) return known;
          const stays = wanted === "" || wanted.split(",").includes(row.status);
          const rows = stays
            ? known.rows.map((each) => (each.executionId === row.executionId ? { ...each, ...row } : each))
            : known.rows.filter((each) => each.executionId !== row.executionId);
          return { ...known, rows };
        }),
      ),
    [wanted],
  );
  const cursor = list?.cursor ?? null;
  const more = useCallback(async (): Promise<void> => {
    if (cursor === null || isFetching.current) return;
    isFetching.current = true;
    try {
      const page = await get<Page<ExecutionRow>>(`${path}limit=${FURTHER}&cursor=${encodeURIComponent(cursor)}`);
      setList((known) => known && { rows: [...known.rows, ...page.rows.map(without)], cursor: page.nextCursor });
      setError(undefined);
    } catch (reason) {
      setError(reason instanceof ApiError ? reason : new ApiError(0, { error: String(reason) }));
    }
    isFetching.current = false;
  }, [path, cursor]);
  return { rows: list?.rows, hasMore: cursor !== null, error: first.error ?? error, reload: first.reload, more };
}
