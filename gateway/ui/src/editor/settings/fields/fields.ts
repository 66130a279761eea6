/** Fields of a form, as the Request Input holds them. */

import type { Field, FieldType } from "../../../api/types";
import type { SettingSchema } from "../../catalogue/catalogue";

/** A field that may be incomplete. */
export type DraftField = Partial<Omit<Field, "default">> & { name: string; type: FieldType; default?: unknown };

export const TYPES: Record<FieldType, string> = {
  text: "Line of text",
  textarea: "Text",
  number: "Number",
  slider: "Slider",
  pills: "Choice",
  toggle: "Switch",
  image: "Image",
  video: "Video",
  audio: "Sound",
  file: "File",
  json: "JSON",
};
export const ALL_TYPES = Object.entries(TYPES) as [FieldType, string][];

/** The types that fields of a setting may have, with their words. */
export function typesOf(schema: SettingSchema): [FieldType, string][] {
  const allowed = schema.items?.properties?.type?.enum;
  return allowed ? ALL_TYPES.filter(([type]) => allowed.includes(type)) : ALL_TYPES;
}

export const NAME = /^(?!params$)(?! )[^\x00-\x1f\x7f]{1,64}(?<! )$/;
export const NAME_RULE = "1 to 64 characters, with no space around them, and not ‘params’.";

const TEXTS = new Set<FieldType>(["text", "textarea"]);
const NUMBERS = new Set<FieldType>(["number", "slider"]);

export type Constraint = "options" | "min" | "max" | "step" | "maxLength";

/** The constraints that a type has. */
export function constraintsOf(type: FieldType): Constraint[] {
  if (type === "pills") return ["options"];
  if (TEXTS.has(type)) return ["maxLength", "options"];
  if (NUMBERS.has(type)) return ["min", "max", "step"];
  return [];
}

/** The field with another type, without members that this type lacks. */
export function retyped(field: DraftField, type: FieldType): DraftField {
  const allowed = constraintsOf(type);
  const { options, min, max, step, maxLength, default: before, ...rest } = field;
  const constraints = Object.fromEntries(
    Object.entries({ options, min, max, step, maxLength }).filter(([name, value]) => value !== undefined && allowed.includes(name as Constraint)),
  );
  const isAlike = (TEXTS.has(type) && TEXTS.has(field.type)) || (NUMBERS.has(type) && NUMBERS.has(field.type));
  const next: DraftField = { ...rest, ...constraints, type };
  if (isAlike && before !== undefined) next.default = before;
  if (type === "pills" && !next.options) next.options = ["First", "Second"];
  if (type === "slider" && next.min === undefined && next.max === undefined) Object.assign(next, { min: 0, max: 10, step: 1 });
  return next;
}

/** A name that no other field has: the stem itself, or with the first free number in the place of its own. */
export function freeName(stem: string, taken: readonly string[]): string {
  const bare = stem.replace(/_\d+$/, "").slice(0, 60);
  let name = bare;
  for (let number = 2; taken.includes(name); number++) name = `${bare}_${number}`;
  return name;
}

/** A copy of an object with one member set, or removed where the value is undefined. */
export function withMember<T extends object>(object: T, name: string, value: unknown): T {
  const next: Record<string, unknown> = { ...object, [name]: value };
  if (value === undefined) delete next[name];
  return next as T;
}
