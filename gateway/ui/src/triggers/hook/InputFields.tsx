import { useId } from "react";
import type { Field } from "../../api/types";
import type { Faults } from "../common/faults";
import { CelField } from "./CelField";
import type { SampleEvent } from "./sample";
import type { HookDraft } from "./settings";

interface Props {
  draft: HookDraft;
  /** The inputs of the workflow; undefined until they are known. */
  fields: readonly Field[] | undefined;
  sample: SampleEvent;
  faults: Faults;
  onChange: (changes: Partial<HookDraft>) => void;
}

/** The inputs of the runs: the members of the body, or an expression for each. */
export function InputFields({ draft: { isMapped, inputs }, fields, sample, faults, onChange }: Props) {
  const id = useId();
  return (
    <section className="stack" aria-labelledby={`${id}-heading`}>
      <h2 id={`${id}-heading`}>Inputs of the run</h2>
      <fieldset className="stack tight" role="radiogroup" aria-label="Inputs of the run">
        <label className="option-check">
          <input type="radio" name={id} checked={!isMapped} onChange={() => onChange({ isMapped: false })} />
          The members of the body are the inputs
        </label>
        <label className="option-check">
          <input type="radio" name={id} checked={isMapped} onChange={() => onChange({ isMapped: true })} />
          Each input has an expression
        </label>
      </fieldset>
      {faults.inputs && <p className="fault">{faults.inputs}</p>}
      {isMapped && fields?.length === 0 && <p className="hint">The workflow takes no inputs.</p>}
      {isMapped && !fields && <p className="hint">Choose the workflow first.</p>}
      {isMapped &&
        fields?.map((field) => (
          <CelField
            key={field.name}
            label={field.label || field.name}
            hint={hintOf(field)}
            wanted="value"
            isOptional={!field.required}
            placeholder="body."
            value={inputs[field.name] ?? ""}
            sample={sample}
            fault={faults[`inputs.${field.name}`]}
            onChange={(text) => onChange({ inputs: { ...inputs, [field.name]: text } })}
          />
        ))}
    </section>
  );
}

function hintOf({ name, label, type }: Field): string {
  return label && label !== name ? `${name}, ${type}` : type;
}
