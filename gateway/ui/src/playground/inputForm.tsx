import { useState } from "react";
import type { Field } from "../api/types";
import { FormField } from "./FormField";
import { check, type Draft, type Faults, inputsOf } from "./inputs";

/** Values of a form as they are typed, and their faults. */
export interface InputForm {
  fields: Field[];
  draft: Draft;
  faults: Faults;
  setDraft: (draft: Draft) => void;
  change: (name: string, value: unknown) => void;
  setFaults: (faults: Faults) => void;
  /** The inputs, or null where a field is at fault; the first of these gets the caret. */
  checked: () => Record<string, unknown> | null;
}

export function useInputForm(fields: Field[], initial: () => Draft): InputForm {
  const [draft, setDraft] = useState<Draft>(initial);
  const [faults, setFaults] = useState<Faults>({});
  const change = (name: string, value: unknown): void => {
    setDraft((now) => ({ ...now, [name]: value }));
    setFaults(({ [name]: _, ...others }) => others);
  };
  const checked = (): Record<string, unknown> | null => {
    const wrong = check(fields, draft);
    setFaults(wrong);
    if (Object.keys(wrong).length === 0) return inputsOf(fields, draft);
    setTimeout(() => document.querySelector<HTMLElement>("form [aria-invalid]")?.focus());
    return null;
  };
  return { fields, draft, faults, setDraft, change, setFaults, checked };
}

export function InputFields({ form }: { form: InputForm }) {
  return form.fields.map((field) => (
    <FormField
      key={field.name}
      field={field}
      value={form.draft[field.name]}
      fault={form.faults[field.name]}
      onChange={(value) => form.change(field.name, value)}
    />
  ));
}
