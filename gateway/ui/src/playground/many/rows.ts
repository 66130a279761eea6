/** Rows of the table, and the changes that are made to them. */

import type { WrongItem } from "../../api/batches";
import type { Faults } from "../inputs";
import { type Cells, type Column, cellFault, TAGS } from "./cells";

export interface Row {
  id: number;
  cells: Cells;
  /** Faults that the server found, until the row is changed. */
  refused?: Faults;
}

export interface Rows {
  rows: Row[];
  nextId: number;
}

export type Change =
  | { kind: "edit"; id: number; name: string; text: string }
  | { kind: "add" }
  | { kind: "remove"; id: number }
  | { kind: "restore"; rows: Row[] }
  | { kind: "replace"; cells: Cells[] }
  | { kind: "put"; at: number; cells: Cells[] }
  | { kind: "refuse"; faults: Map<number, Faults> };

const BLANK_ROWS = 3;

export function blankRows(): Rows {
  return replaced({ rows: [], nextId: 1 }, Array.from({ length: BLANK_ROWS }, () => ({})));
}

function replaced({ nextId }: Rows, cells: Cells[]): Rows {
  return { rows: cells.map((each, place) => ({ id: nextId + place, cells: each })), nextId: nextId + cells.length };
}

/** Put cells over those of the rows from a place on; rows that lack are added. */
function put({ rows, nextId }: Rows, at: number, cells: Cells[]): Rows {
  const next = [...rows];
  let id = nextId;
  cells.forEach((each, place) => {
    const row = next[at + place];
    next[at + place] = row ? { id: row.id, cells: { ...row.cells, ...each } } : { id: id++, cells: each };
  });
  return { rows: next, nextId: id };
}

export function changed(state: Rows, change: Change): Rows {
  const { rows, nextId } = state;
  switch (change.kind) {
    case "edit": {
      const { id, name, text } = change;
      return { nextId, rows: rows.map((row) => (row.id === id ? { id, cells: { ...row.cells, [name]: text } } : row)) };
    }
    case "add":
      return { rows: [...rows, { id: nextId, cells: {} }], nextId: nextId + 1 };
    case "remove":
      return { nextId, rows: rows.filter((row) => row.id !== change.id) };
    case "restore":
      return { nextId, rows: change.rows };
    case "replace":
      return replaced(state, change.cells);
    case "put":
      return put(state, change.at, change.cells);
    case "refuse":
      return { nextId, rows: rows.map((row) => (change.faults.has(row.id) ? { ...row, refused: change.faults.get(row.id) as Faults } : row)) };
  }
}

export function isBlank({ cells }: Row): boolean {
  return Object.values(cells).every((each) => each === "");
}

const known = new WeakMap<Column[], WeakMap<Row, Faults>>();

/** The faults of a row by column; a blank row has none, since it is not sent. */
export function faultsOf(row: Row, columns: Column[]): Faults {
  const ofTable = known.get(columns) ?? new WeakMap<Row, Faults>();
  known.set(columns, ofTable);
  const before = ofTable.get(row);
  if (before) return before;
  const faults: Faults = {};
  for (const column of isBlank(row) ? [] : columns) {
    const fault = cellFault(column, row.cells[column.name] ?? "");
    if (fault) faults[column.name] = fault;
  }
  const all = { ...row.refused, ...faults };
  ofTable.set(row, all);
  return all;
}

export interface CellFault {
  /** Place of the row in the table, from 0. */
  place: number;
  name: string;
  reason: string;
}

/** The faults of all rows in their order. */
export function allFaults(rows: Row[], columns: Column[]): CellFault[] {
  return rows.flatMap((row, place) => Object.entries(faultsOf(row, columns)).map(([name, reason]) => ({ place, name, reason })));
}

/** Faults that the server found in items, at the rows that the items were made of. */
export function refusedRows(wrong: WrongItem[], sent: Row[], columns: Column[]): Map<number, Faults> {
  const faults = new Map<number, Faults>();
  for (const { index, field, reason } of wrong) {
    const row = sent[index];
    if (!row) continue;
    const column = columns.find((each) => each.name === field);
    // A member without a column is told of in the last one.
    const told = column || !field || field.startsWith("tags") ? reason : `${field}: ${reason}`;
    faults.set(row.id, { ...faults.get(row.id), [column?.name ?? TAGS]: told });
  }
  return faults;
}
