/** Results of a batch as files: items are read page by page, and become lines of JSON or a table. */

import { type BatchItem, batchPath } from "../../api/batches";
import { get } from "../../api/client";
import type { Page } from "../../api/types";

const PAGE_ROWS = 200;

/**
 * Read all items in order; `onRead` hears how many there are so far.
 *
 * Throws when `signal` is aborted, and where fewer than `size` can be read.
 */
export async function readItems(id: string, size: number, onRead: (count: number) => void, signal: AbortSignal): Promise<BatchItem[]> {
  const items: BatchItem[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query = new URLSearchParams({ limit: String(PAGE_ROWS), ...(cursor && { cursor }) });
    const page: Page<BatchItem> = await get(`${batchPath(id)}/items?${query}`);
    signal.throwIfAborted();
    items.push(...page.rows);
    onRead(items.length);
    cursor = page.nextCursor;
  }
  if (items.length < size) throw new Error(`Only ${items.length} of ${size} items could be read. Try again.`);
  return items;
}

export function asLines(items: BatchItem[]): string {
  return items.map((each) => `${JSON.stringify(each)}\n`).join("");
}

type Members = Record<string, unknown>;

function membersOf(result: unknown): Members | null {
  return typeof result === "object" && result !== null && !Array.isArray(result) ? (result as Members) : null;
}

/** A table with a column for each member of the results, or one where some are no objects. */
export function asTable(items: BatchItem[]): string {
  const given = items.map((each) => each.result).filter((each) => each !== null && each !== undefined);
  const isSplit = given.length > 0 && given.every(membersOf);
  const names = isSplit ? [...new Set(given.flatMap((each) => Object.keys(each as Members)))] : [];
  const head = ["index", "status", "executionId", ...(isSplit ? names.map((each) => `result.${each}`) : ["result"]), "errorCode", "errorMessage", "creditsCost"];
  const rows = items.map((each) => {
    const results = isSplit ? names.map((name) => membersOf(each.result)?.[name]) : [each.result];
    return [each.index, each.status, each.executionId, ...results, each.error?.code, each.error?.message, each.creditsCost];
  });
  return [head, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** Beginnings of texts that spreadsheets take for formulas; some take the wide signs of Japanese. */
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** A value as a cell. A text that a spreadsheet would compute has an apostrophe before it. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return quoted(typeof value === "object" ? JSON.stringify(value) : String(value));
  return quoted(FORMULA.test(value) && !isNumber(value) ? `'${value}` : value);
}

function isNumber(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(text));
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
