import { useId, useState } from "react";
import type { Field, FieldType } from "../../../api/types";
import { TextField } from "../../../components/TextField";
import { NameInput } from "../lists/NameInput";
import { FieldValue } from "../models/FieldValue";
import { NumberInput } from "../widgets/simple";
import { ALL_TYPES, type Constraint, constraintsOf, type DraftField, NAME, NAME_RULE, retyped, withMember } from "./fields";

interface Props {
  path: string;
  field: DraftField;
  isNew: boolean;
  taken: string[];
  types?: [FieldType, string][];
  onChange: (field: DraftField, part: string) => void;
}

const LIMITS: Record<Exclude<Constraint, "options">, string> = {
  min: "Minimum",
  max: "Maximum",
  step: "Step",
  maxLength: "Characters at most",
};

/** All that is set of one field. */
export function FieldForm({ path, field, isNew, taken, types = ALL_TYPES, onChange }: Props) {
  const id = useId();
  const set = (member: string, value: unknown): void => onChange(withMember(field, member, value), member);
  const constraints = constraintsOf(field.type);
  const limits = constraints.filter((each): each is keyof typeof LIMITS => each !== "options");
  return (
    <>
      <div className="pair">
        <div data-field={`${path}.name`}>
          <NameInput value={field.name} label="Name" taken={taken} pattern={NAME} rule={NAME_RULE} isLabelShown isFocused={isNew} onChange={(to) => set("name", to)} />
        </div>
        <div className="field" data-field={`${path}.type`}>
          <label htmlFor={`${id}-type`}>Type</label>
          <select id={`${id}-type`} className="input" value={field.type} onChange={(event) => onChange(retyped(field, event.target.value as FieldType), "type")}>
            {types.map(([type, words]) => (
              <option key={type} value={type}>
                {words}
              </option>
            ))}
          </select>
        </div>
      </div>
      <div data-field={`${path}.label`}>
        <TextField label="Label" placeholder={field.name} value={field.label ?? ""} onChange={(to) => set("label", to || undefined)} />
      </div>
      <div className="row spread" data-field={`${path}.required`}>
        <label className="label" htmlFor={`${id}-required`}>
          Required
        </label>
        <input id={`${id}-required`} type="checkbox" role="switch" className="switch" checked={field.required === true} onChange={(event) => set("required", event.target.checked)} />
      </div>
      {constraints.includes("options") && <Options path={path} field={field} onChange={(to) => set("options", to)} />}
      {limits.length > 0 && (
        <div className={limits.length > 1 ? "triple" : undefined}>
          {limits.map((limit) => (
            <div key={limit} className="field" data-field={`${path}.${limit}`}>
              <label htmlFor={`${id}-${limit}`}>{LIMITS[limit]}</label>
              <NumberInput id={`${id}-${limit}`} describedBy={undefined} isInvalid={false} schema={{}} value={field[limit]} onChange={(to) => set(limit, to)} />
            </div>
          ))}
        </div>
      )}
      <div data-field={`${path}.default`}>
        <FieldValue key={field.type} field={defaultField(field)} value={field.default ?? undefined} onChange={(to) => set("default", to)} />
      </div>
      <div data-field={`${path}.helperText`}>
        <TextField label="Help" placeholder="A sentence below the field" value={field.helperText ?? ""} onChange={(to) => set("helperText", to || undefined)} />
      </div>
    </>
  );
}

/** The field whose value is the default of another. */
function defaultField(field: DraftField): Field {
  const { default: _, helperText: __, maxLength: ___, ...rest } = field;
  return { ...rest, label: "Default", required: false };
}

/** Options, one on each line; numbers for fields of numbers. */
function Options({ path, field, onChange }: { path: string; field: DraftField; onChange: (options: (string | number)[] | undefined) => void }) {
  const id = useId();
  const shown = (field.options ?? []).join("\n");
  const [typed, setTyped] = useState(shown);
  const linesOf = (text: string): string[] => text.split("\n").map((each) => each.trim()).filter(Boolean);
  const text = linesOf(typed).join("\n") === shown ? typed : shown;
  const doubled = linesOf(text).find((each, place, all) => all.indexOf(each) !== place);
  return (
    <div className="field" data-field={`${path}.options`}>
      <label htmlFor={id}>Options</label>
      <textarea
        id={id}
        className="input options"
        rows={Math.max(3, text.split("\n").length)}
        value={text}
        aria-describedby={`${id}-hint`}
        onChange={(event) => {
          setTyped(event.target.value);
          const options = linesOf(event.target.value);
          onChange(options.length > 0 ? options : undefined);
        }}
      />
      <p className={doubled ? "fault" : "hint"} id={`${id}-hint`}>
        {doubled ? `‘${doubled}’ is there twice.` : field.type === "pills" ? "One on each line, in the order of the form." : "One on each line; none allows any text."}
      </p>
    </div>
  );
}
