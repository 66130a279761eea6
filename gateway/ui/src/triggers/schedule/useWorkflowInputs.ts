/** The form of the inputs that a trigger passes to its workflow. */

import { useEffect, useRef } from "react";
import { WORKFLOWS } from "../../api/paths";
import { type Resource, useResource } from "../../api/resource";
import type { Schedule } from "../../api/triggers";
import type { Field, PublicSchema } from "../../api/types";
import { type InputForm, useInputForm } from "../../playground/inputForm";
import { type Draft, initial, inputsOf, shown } from "../../playground/inputs";

const NO_FIELDS: Field[] = [];

export interface WorkflowInputs {
  schema: Resource<PublicSchema>;
  form: InputForm;
  /** The member to save: none where the fields are not known, as those of a deleted workflow, or nothing was typed. */
  toSave: (given: Record<string, unknown>) => { inputs?: Record<string, unknown> };
}

/** Read the fields of a version of a workflow; another workflow begins with its own values. */
export function useWorkflowInputs(trigger: Schedule | null, slug: string, version: string): WorkflowInputs {
  const query = version ? `?version=${version}` : "";
  const schema = useResource<PublicSchema>(slug ? `${WORKFLOWS}/${slug}/schema${query}` : null);
  const form = useInputForm(schema.data?.fields ?? NO_FIELDS, () => ({}));
  const begun = useRef<{ of: Schedule | null; text: string }>({ of: null, text: "" });
  const shownSchema = schema.data ? `${slug} ${version}` : "";
  // A schema that is read anew leaves typed values as they are.
  // biome-ignore lint/correctness/useExhaustiveDependencies: when another schema is shown
  useEffect(() => {
    if (!schema.data) return;
    const isSaved = trigger?.workflowSlug === slug;
    const draft = isSaved ? draftOf(schema.data.fields, trigger.inputs) : initial(schema.data);
    begun.current = { of: isSaved ? trigger : null, text: JSON.stringify(inputsOf(schema.data.fields, draft)) };
    form.setDraft(draft);
    form.setFaults({});
  }, [shownSchema]);
  const isUntouched = (given: Record<string, unknown>): boolean =>
    trigger !== null && begun.current.of === trigger && begun.current.text === JSON.stringify(given);
  const toSave = (given: Record<string, unknown>): { inputs?: Record<string, unknown> } =>
    !schema.data || isUntouched(given) ? {} : { inputs: given };
  return { schema, form, toSave };
}

/** The values that runs get: those of the trigger, and the defaults of other fields. */
function draftOf(fields: Field[], inputs: Record<string, unknown>): Draft {
  return Object.fromEntries(fields.map((field) => [field.name, shown(field, inputs[field.name] ?? field.default)]));
}
