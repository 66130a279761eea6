/** Columns of a file or of pasted cells, matched to those of the table by name. */

import { type Column, spelled, type Cells } from "./cells";

/** For each column from elsewhere, the name of one of the table; empty: it is left out. */
export type Match = string[];

function plain(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

/** Guess by name, then by label; each column of the table is given once. */
export function guess(heads: string[], columns: Column[]): Match {
  const free = new Set(columns.map(({ name }) => name));
  const take = (fits: (column: Column) => boolean): string => {
    const found = columns.find((column) => free.has(column.name) && fits(column))?.name ?? "";
    free.delete(found);
    return found;
  };
  const byName = heads.map((head) => take(({ name }) => name === head.trim()));
  return byName.map((found, place) => {
    const head = plain(heads[place] as string);
    return found || (head ? take(({ name, label }) => plain(name) === head || plain(label) === head) : "");
  });
}

/** Whether a first row names columns: all of its cells that are not empty do, or at least one in a file. */
export function isHead(row: string[], columns: Column[], isFile: boolean): boolean {
  const given = row.filter((each) => each.trim() !== "");
  const found = guess(row, columns).filter(Boolean).length;
  return found > 0 && (isFile || found === given.length);
}

/** The cells of a row from elsewhere, by the columns of the table. */
export function cellsOf(row: string[], match: Match, columns: Column[]): Cells {
  const cells: Cells = {};
  match.forEach((name, place) => {
    const column = columns.find((each) => each.name === name);
    if (column) cells[name] = spelled(column, row[place] ?? "");
  });
  return cells;
}

/** Names for columns that have none. */
export function unnamed(count: number): string[] {
  return Array.from({ length: count }, (_, place) => `Column ${place + 1}`);
}
