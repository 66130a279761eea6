/** A test while it is written: inputs as a form holds them. */

import type { Judge, TestBody, WorkflowTest } from "../../api/workflowTests";
import type { Field } from "../../api/types";
import { type Draft, inputsOf, shown } from "../../playground/inputs";
import type { Pins } from "../running/values/pins";

export interface TestDraft {
  name: string;
  form: Draft;
  /** Inputs of which the draft has no field. */
  strays: Record<string, unknown>;
  expect: string[];
  pinned: Pins;
  judge: Judge | null;
}

export const EMPTY_TEST: TestDraft = { name: "", form: {}, strays: {}, expect: ['status == "completed"'], pinned: {}, judge: null };

/** Split inputs into those of fields, as a form holds them, and all others. */
export function formOf(fields: readonly Field[], inputs: Record<string, unknown>): Pick<TestDraft, "form" | "strays"> {
  const byName = new Map(fields.map((field) => [field.name, field]));
  const form: Draft = {};
  const strays: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(inputs)) {
    const field = byName.get(name);
    if (field) form[name] = shown(field, value);
    else strays[name] = value;
  }
  return { form, strays };
}

export function draftOf(fields: readonly Field[], { name, inputs, expect, pinned, judge }: WorkflowTest): TestDraft {
  return { name, ...formOf(fields, inputs), expect: expect.length > 0 ? [...expect] : [""], pinned, judge };
}

/** The body that saves a test; expectations that are empty are left out. */
export function bodyOf(fields: Field[], { form, strays, expect, pinned, judge }: TestDraft): TestBody {
  const written = judge && Object.fromEntries(Object.entries(judge.inputs).filter(([, text]) => text.trim()));
  return {
    inputs: { ...strays, ...inputsOf(fields, form) },
    expect: expect.map((each) => each.trim()).filter(Boolean),
    pinned,
    judge: judge?.workflow ? { workflow: judge.workflow, inputs: written ?? {} } : null,
  };
}

/** A name made of a text: small letters, digits and hyphens. */
export function nameFrom(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 32);
}
