/** Values of a form, and the inputs made of them; texts are checked as the server checks them. */

import type { Field, PublicSchema } from "../api/types";
import { isMediaKind } from "./media/kinds";

export type Draft = Record<string, unknown>;
export type Faults = Record<string, string>;

const NUMBERS = new Set(["number", "slider"]);

/** The values that the form begins with. */
export function initial(schema: PublicSchema): Draft {
  return Object.fromEntries(
    schema.fields.map((field) => [field.name, shown(field, schema.values[field.name] ?? field.default)]),
  );
}

/** The form of an earlier call. */
export function refilled(schema: PublicSchema, inputs: Record<string, unknown>): Draft {
  return Object.fromEntries(schema.fields.map((field) => [field.name, shown(field, inputs[field.name])]));
}

/** A value as its control holds it: texts, but for toggles and pills. */
export function shown(field: Field, value: unknown): unknown {
  if (field.type === "toggle") return value === true;
  if (value === null || value === undefined) {
    return field.type === "slider" ? String(field.min ?? 0) : "";
  }
  if (field.type === "json") return typeof value === "string" ? JSON.stringify(value) : JSON.stringify(value, null, 2);
  if (field.type === "pills") return value;
  return String(value);
}

/** The inputs of a call; fields that are left empty are left out. */
export function inputsOf(fields: Field[], draft: Draft): Record<string, unknown> {
  const inputs: Record<string, unknown> = {};
  for (const field of fields) {
    const value = draft[field.name];
    if (value === "" || value === undefined) continue;
    if (NUMBERS.has(field.type)) inputs[field.name] = Number(value);
    else if (field.type === "json") inputs[field.name] = parsed(String(value));
    else inputs[field.name] = value;
  }
  return inputs;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The fault of each field, in a sentence. */
export function check(fields: Field[], draft: Draft): Faults {
  const faults: Faults = {};
  for (const field of fields) {
    const fault = checkOne(field, draft[field.name]);
    if (fault) faults[field.name] = fault;
  }
  return faults;
}

/** The fault of one value, in a sentence; empty without one. */
export function checkOne(field: Field, value: unknown): string {
  if (value === "" || value === undefined) {
    return field.required && field.default === undefined ? "This is needed." : "";
  }
  if (NUMBERS.has(field.type)) return checkNumber(field, Number(value));
  if (field.type === "json") return checkJson(String(value));
  const text = String(value);
  if (isMediaKind(field.type) && /^http:/.test(text) && location.protocol === "https:") {
    return "An address must begin with https.";
  }
  if (field.maxLength !== undefined && [...text].length > field.maxLength) {
    return `At most ${field.maxLength} characters; these are ${[...text].length}.`;
  }
  return "";
}

function checkNumber(field: Field, value: number): string {
  if (!Number.isFinite(value)) return "This must be a number.";
  if (field.min !== undefined && value < field.min) return `At least ${field.min}.`;
  if (field.max !== undefined && value > field.max) return `At most ${field.max}.`;
  if (field.step) {
    const steps = (value - (field.min ?? 0)) / field.step;
    if (Math.abs(steps - Math.round(steps)) > 1e-9) return `In steps of ${field.step}.`;
  }
  return "";
}

function checkJson(text: string): string {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return `This is not JSON: ${(error as Error).message}`;
  }
}
