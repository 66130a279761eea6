/** Batches: their answers, their paths, and the states that they go through. */

import type { Batch, BatchItem } from "./schemas";

export type { Batch, BatchItem, StartedBatch } from "./schemas";
export type ItemStatus = BatchItem["status"];
export type BatchCounts = Batch["counts"];

/** An item that the server refuses before anything is begun. */
export interface WrongItem {
  index: number;
  field: string | null;
  reason: string;
}

export const BATCHES = "/api/batches";
export const ITEM_STATUSES: ItemStatus[] = ["queued", "processing", "completed", "failed", "cancelled"];
/** Most items of one batch, most bytes of its body, and bounds of its concurrency. */
export const MOST_ITEMS = 1_000;
export const MOST_BYTES = 16 * 1024 * 1024;
export const MOST_CONCURRENCY = 100;
export const USUAL_CONCURRENCY = 20;

export function batchPath(id: string): string {
  return `${BATCHES}/${id}`;
}

export function isLiveBatch({ status }: Pick<Batch, "status">): boolean {
  return status !== "completed" && status !== "cancelled";
}

export function sizeOf(counts: BatchCounts): number {
  return ITEM_STATUSES.reduce((sum, each) => sum + counts[each], 0);
}

export function endedOf({ completed, failed, cancelled }: BatchCounts): number {
  return completed + failed + cancelled;
}
