/** Answers of the API that several parts of a page read: fetched once, and again when told to. */

import { useCallback, useEffect, useSyncExternalStore } from "react";
import { ApiError, get } from "./client";

interface Entry {
  data?: unknown;
  error?: ApiError;
  isLoading: boolean;
}

const EMPTY: Entry = { isLoading: true };
const entries = new Map<string, Entry>();
const readers = new Map<string, Set<() => void>>();
const newest = new Map<string, number>();

function set(path: string, entry: Entry): void {
  entries.set(path, entry);
  for (const notify of readers.get(path) ?? []) notify();
}

async function load(path: string): Promise<void> {
  const turn = (newest.get(path) ?? 0) + 1;
  newest.set(path, turn);
  let entry: Entry;
  try {
    entry = { data: await get(path), isLoading: false };
  } catch (error) {
    const known = error instanceof ApiError ? error : new ApiError(0, { error: String(error) });
    entry = { data: entries.get(path)?.data, error: known, isLoading: false };
  }
  if (newest.get(path) === turn) set(path, entry);
}

/** Fetch again whatever begins with `prefix`: at once if it is shown, else when it is. */
export function invalidate(prefix: string): void {
  for (const path of [...entries.keys()]) {
    if (!path.startsWith(prefix)) continue;
    if (readers.get(path)?.size) void load(path);
    else entries.delete(path);
  }
}

/** Replace an answer by what is known already, until it is fetched again. */
export function expect<T>(path: string, change: (data: T) => T): void {
  const entry = entries.get(path);
  if (entry?.data !== undefined) set(path, { ...entry, data: change(entry.data as T) });
}

export interface Resource<T> {
  data?: T;
  error?: ApiError;
  isLoading: boolean;
  reload: () => void;
}

/** Read an answer; `null` reads nothing. */
export function useResource<T>(path: string | null): Resource<T> {
  const key = path ?? "";
  const subscribe = useCallback(
    (notify: () => void) => {
      const found = readers.get(key) ?? new Set();
      readers.set(key, found.add(notify));
      return () => found.delete(notify);
    },
    [key],
  );
  const entry = useSyncExternalStore(subscribe, () => entries.get(key) ?? EMPTY);
  useEffect(() => {
    if (key && !entries.has(key)) {
      entries.set(key, EMPTY);
      void load(key);
    }
  }, [key]);
  return { ...(entry as Resource<T>), reload: () => void load(key) };
}
