/** The form of the inputs that a trigger passes to its workflow. */

import { useEffect } from "react";
import { WORKFLOWS } from "../../api/paths";
import { type Resource, useResource } from "../../api/resource";
import type { Schedule } from "../../api/triggers";
import type { Field, PublicSchema } from "../../api/types";
import { type InputForm, useInputForm } from "../../playground/inputForm";
import { initial, refilled } from "../../playground/inputs";

const NO_FIELDS: Field[] = [];

export interface WorkflowInputs {
  schema: Resource<PublicSchema>;
  form: InputForm;
}

/** Read the fields of a version of a workflow; another workflow begins with its own values. */
export function useWorkflowInputs(trigger: Schedule | null, slug: string, version: string): WorkflowInputs {
  const query = version ? `?version=${version}` : "";
  const schema = useResource<PublicSchema>(slug ? `${WORKFLOWS}/${slug}/schema${query}` : null);
  const form = useInputForm(schema.data?.fields ?? NO_FIELDS, () => ({}));
  const shown = schema.data ? `${slug} ${version}` : "";
  // A schema that is read anew leaves typed values as they are.
  // biome-ignore lint/correctness/useExhaustiveDependencies: when another schema is shown
  useEffect(() => {
    if (!schema.data) return;
    const isSaved = trigger?.workflowSlug === slug;
    form.setDraft(isSaved ? refilled(schema.data, trigger.inputs) : initial(schema.data));
    form.setFaults({});
  }, [shown]);
  return { schema, form };
}
