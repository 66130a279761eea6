import { useState } from "react";
import type { Field } from "../../../api/types";
import { Button } from "../../../components/Button";
import { FormField } from "../../../playground/FormField";
import { check, inputsOf, shown } from "../../../playground/inputs";
import { inWords } from "../widgets/widget";

interface Props {
  field: Field;
  value: unknown;
  onChange: (value: unknown) => void;
  fault?: string;
}

/** Controls that always show a value, and so show the default where none is set. */
const ALWAYS_SET = new Set(["toggle", "slider", "pills"]);

/** The value of a field by the control that callers have; `undefined` where it is left to the default. */
export function FieldValue({ field, value, onChange, fault }: Props) {
  const set = ALWAYS_SET.has(field.type) ? (value ?? field.default) : value;
  const [typed, setTyped] = useState(() => shown(field, set));
  const inputOf = (draft: unknown): unknown => inputsOf([field], { [field.name]: draft })[field.name];
  const isCurrent = JSON.stringify(inputOf(typed)) === JSON.stringify(set);
  const draft = isCurrent ? typed : shown(field, set);
  const notJson = field.type === "json" ? check([{ ...field, required: false }], { [field.name]: draft })[field.name] : "";
  const placeholder = inWords(field.default);
  const isReset = value !== undefined && ALWAYS_SET.has(field.type);
  return (
    <div className="field-value">
      <FormField
        field={field}
        value={draft}
        fault={fault || notJson || undefined}
        placeholder={field.options?.length ? `${placeholder ? `${placeholder} (default)` : "Not set"}` : placeholder}
        onChange={(to) => {
          setTyped(to);
          onChange(inputOf(to));
        }}
      />
      {isReset && (
        <Button look="quiet" isCompact onClick={() => onChange(undefined)}>
          Reset
        </Button>
      )}
    </div>
  );
}
