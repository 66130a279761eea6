/** The manifest as a table, and changes of the table made to its text: all other lines stay as they are. */

import { parse, patch, stringify } from "@decimalturn/toml-patch";

export type Table = Record<string, unknown>;
export type Step = string | number;

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Read a manifest; null for a text that is not TOML. */
export function parseToml(text: string): Table | null {
  try {
    return parse(text) as Table;
  } catch {
    return null;
  }
}

/** The value at a path, such as `["http", "job", "id"]`. */
export function valueAt(table: unknown, path: readonly Step[]): unknown {
  return path.reduce<unknown>((value, step) => (typeof value === "object" && value !== null ? (value as Record<Step, unknown>)[step] : undefined), table);
}

/** The text with another value at a path; `undefined` removes the member, and a table that is empty then. */
export function withMember(text: string, path: readonly Step[], value: unknown): string {
  const table = parse(text) as Table;
  const [step = "", ...rest] = path;
  // `patch` adds no list of tables that is not there yet.
  if (rest.length === 0 && !(step in table) && Array.isArray(value) && value.every(isTable)) {
    return `${text.trimEnd()}\n\n${stringify({ [step]: value })}`;
  }
  return patch(text, (put(table, path, value) ?? {}) as Table);
}

function put(at: unknown, path: readonly Step[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(at)) return at.map((each, place) => (place === step ? put(each, rest, value) : each));
  const { [step]: before, ...others } = isTable(at) ? at : {};
  const next = put(before, rest, value);
  if (next === undefined) return rest.length === 0 || Object.keys(others).length > 0 ? others : undefined;
  // A member that is there keeps its place.
  return before === undefined ? { ...others, [step]: next } : { ...(at as Table), [step]: next };
}

/** A path as the server writes it: `fields[0].type`. */
export function pathName(path: readonly Step[]): string {
  return path.map((step, place) => (typeof step === "number" ? `[${step}]` : place === 0 ? step : `.${step}`)).join("");
}
