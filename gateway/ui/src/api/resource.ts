/** Answers of the API that several parts of a page read: fetched once, and again after `invalidate`. */

import { useCallback, useEffect, useSyncExternalStore } from "react";
import { ApiError, get } from "./client";

const RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 30_000;
const UNAVAILABLE = [0, 502, 503, 504];

interface Entry {
  data?: unknown;
  error?: ApiError;
  isLoading: boolean;
}

const EMPTY: Entry = { isLoading: true };
const entries = new Map<string, Entry>();
const readers = new Map<string, Set<() => void>>();
const newest = new Map<string, number>();
const failures = new Map<string, number>();

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
  if (newest.get(path) !== turn) return;
  set(path, entry);
  if (!entry.error || !UNAVAILABLE.includes(entry.error.status)) failures.delete(path);
  else readAgain(path, turn, entry.error);
}

/** Repeat a failed read as long as its answer is shown: no event says when it will succeed. */
function readAgain(path: string, turn: number, { retryAfter }: ApiError): void {
  const failed = failures.get(path) ?? 0;
  failures.set(path, failed + 1);
  const pause = Math.max((retryAfter ?? 0) * 1_000, RETRY_MS * 2 ** failed);
  setTimeout(
    () => {
      if (newest.get(path) === turn && readers.get(path)?.size) void load(path);
    },
    Math.min(pause, LONGEST_RETRY_MS),
  );
}

/** Forget an answer, and ignore one that is under way and may be older than the change. */
function forget(path: string): void {
  entries.delete(path);
  newest.set(path, (newest.get(path) ?? 0) + 1);
}

/** Fetch the answers whose paths begin with `prefix` again: shown ones at once, others when they are shown. */
export function invalidate(prefix: string): void {
  for (const path of [...entries.keys()]) {
    if (!path.startsWith(prefix)) continue;
    if (readers.get(path)?.size) void load(path);
    else forget(path);
  }
}

/** Replace an answer by a known change, until it is fetched again. */
export function replaceAnswer<T>(path: string, change: (data: T) => T): void {
  const entry = entries.get(path);
  if (entry?.data !== undefined) set(path, { ...entry, data: change(entry.data as T) });
}

/** Whether one of the answers that were read at paths that begin with `prefix` fits. */
export function isRead<T>(prefix: string, fits: (data: T) => boolean): boolean {
  return [...entries].some(([path, { data }]) => path.startsWith(prefix) && data !== undefined && fits(data as T));
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
      const notifiers = readers.get(key) ?? new Set();
      readers.set(key, notifiers.add(notify));
      return () => notifiers.delete(notify);
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
