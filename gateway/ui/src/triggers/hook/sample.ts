/** Sample events: the values that expressions of an inbound webhook see. */

import { KINDS } from "../../playground/media/kinds";
import { pathsOf, type Variables } from "../../editor/settings/expression/paths";

export interface SampleEvent {
  body: unknown;
  /** Names are in lower case. */
  headers: Record<string, string>;
  query: Record<string, string>;
  method: string;
}

/** The variables of expressions, in the order in which they are offered. */
export function variablesOf({ body, headers, query, method }: SampleEvent): Variables {
  return { body, headers, query, method };
}

/** The name that an expression ends with; empty where it is not a path to a member. */
function lastMember(path: string): string {
  return /(?:\.([A-Za-z_]\w*)|\["([^"]*)"\])$/.exec(path)?.slice(1).find(Boolean) ?? "";
}

export interface InputField {
  name: string;
  type: string;
}

const TEXTS = new Set<string>(["text", "textarea", "pills", ...KINDS]);

/** Guess the expression of each field: the nearest value of the sample that has the field's name and fits its type. */
export function guessInputs(fields: readonly InputField[], sample: SampleEvent): Record<string, string> {
  // The first item of a list stands for no other.
  const paths = pathsOf(variablesOf(sample)).filter((each) => each.text !== "method" && !each.text.includes("[0]"));
  const guessed: Record<string, string> = {};
  for (const { name, type } of fields) {
    const key = plain(name);
    const found = paths.find((each) => plain(lastMember(each.text)) === key && fits(type, each.value));
    if (found) guessed[name] = found.text;
  }
  return guessed;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

function fits(type: string, value: unknown): boolean {
  if (type === "json") return true;
  if (TEXTS.has(type)) return typeof value === "string";
  if (type === "toggle") return typeof value === "boolean";
  return typeof value === "number";
}

/** Read a body as it is typed: JSON, else a text. */
export function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A body as it is shown and typed. */
export function bodyText(body: unknown): string {
  return typeof body === "string" ? body : JSON.stringify(body, null, 2);
}
