/** Texts of cells: checked, brought into the form of their field, and made into inputs. */

import type { Field } from "../../api/types";
import { splitTags, tagFault } from "../../components/tags";
import { checkOne } from "../inputs";

/** Name of the column of tags, which no field can have. */
export const TAGS = "#tags";

export interface Column {
  name: string;
  label: string;
  /** Absent for the tags of the row. */
  field?: Field;
}

export function columnsOf(fields: Field[]): Column[] {
  return [...fields.map((field) => ({ name: field.name, label: field.label, field })), { name: TAGS, label: "Tags" }];
}

const FLAGS: Record<string, string> = { true: "true", yes: "true", "1": "true", false: "false", no: "false", "0": "false" };

/** The values among which a cell chooses; none for a free one. */
export function choicesOf(field: Field | undefined): string[] {
  if (field?.type === "toggle") return ["true", "false"];
  return field?.options?.map(String) ?? [];
}

/** A text from elsewhere as its column spells it: "Yes" is "true", and "CALM" may be "calm". */
export function spelled({ field }: Column, text: string): string {
  const low = text.trim().toLowerCase();
  if (field?.type === "toggle") return FLAGS[low] ?? text;
  return choicesOf(field).find((each) => each.toLowerCase() === low) ?? text;
}

/** The fault of a cell, in a sentence; empty without one. */
export function cellFault({ field }: Column, text: string): string {
  if (!field) return tagFault(splitTags(text));
  const choices = choicesOf(field);
  if (text !== "" && choices.length > 0 && !choices.includes(text)) return `One of: ${choices.join(", ")}.`;
  return checkOne(field, text);
}

function valueOf(field: Field, text: string): unknown {
  if (field.type === "toggle") return text === "true";
  if (field.options?.length) return field.options.find((each) => String(each) === text);
  if (field.type === "number" || field.type === "slider") return Number(text);
  return field.type === "json" ? JSON.parse(text) : text;
}

export type Cells = Record<string, string>;

/** The item of a row whose cells have no fault; empty cells are left out. */
export function itemOf(columns: Column[], cells: Cells): { inputs: Record<string, unknown>; tags?: string[] } {
  const given = columns.filter(({ name, field }) => field && cells[name]);
  const inputs = Object.fromEntries(given.map(({ name, field }) => [name, valueOf(field as Field, cells[name] as string)]));
  const tags = splitTags(cells[TAGS] ?? "");
  return tags.length > 0 ? { inputs, tags } : { inputs };
}
