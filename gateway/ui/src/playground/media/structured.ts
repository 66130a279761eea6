/** Values that have a form of their own on pages: tables of documents and transcripts. */

/** A stretch of speech; times are in seconds. */
export interface Segment {
  start: number;
  end: number;
  text: string;
}

export type Table = unknown[][];

function isCell(value: unknown): boolean {
  return value === null || typeof value !== "object";
}

/** Whether a value is a list of tables, as documents give them: lists of rows with a word somewhere, unlike lists of vectors. */
export function isTables(value: unknown): value is Table[] {
  if (!Array.isArray(value) || value.length === 0) return false;
  const isTable = (each: unknown): boolean => Array.isArray(each) && each.every((row) => Array.isArray(row) && row.every(isCell));
  return value.every(isTable) && (value as Table[]).some((table) => table.some((row) => row.some((cell) => typeof cell === "string")));
}

export function isSegments(value: unknown): value is Segment[] {
  if (!Array.isArray(value) || value.length === 0) return false;
  return value.every(
    (each) => each && typeof each === "object" && typeof each.start === "number" && typeof each.end === "number" && typeof each.text === "string",
  );
}

/** Whether a value has a form of its own here, other than a tree. */
export function isStructured(value: unknown): value is Table[] | Segment[] {
  return isTables(value) || isSegments(value);
}

const HOUR = 3_600;
const MINUTE = 60;

/** Seconds as a player shows them: "1:02:03.4", "0:07.5". */
export function clock(seconds: number): string {
  const tenths = Math.round(seconds * 10);
  const [whole, tenth] = [Math.floor(tenths / 10), tenths % 10];
  const [hours, minutes, rest] = [Math.floor(whole / HOUR), Math.floor((whole % HOUR) / MINUTE), whole % MINUTE];
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(rest)}${tenth ? `.${tenth}` : ""}`;
}
