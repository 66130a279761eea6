import { useId } from "react";
import type { Field } from "../api/types";
import "./form.css";
import { isMediaKind } from "./media/kinds";
import { type ControlProps, MediaInput } from "./media/MediaInput";

interface Props {
  field: Field;
  value: unknown;
  fault?: string;
  /** Shown where nothing is given. */
  placeholder?: string;
  onChange: (value: unknown) => void;
}

/** One input of the workflow: its label, its control, its help and its fault. */
export function FormField({ field, value, fault, placeholder, onChange }: Props) {
  const id = useId();
  const described = [field.helperText && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ");
  const control: ControlProps = { field, id, value, onChange, isInvalid: Boolean(fault), placeholder };
  if (described) control.describedBy = described;
  const notes = (
    <>
      {field.helperText && (
        <p className="hint" id={`${id}-hint`}>
          {field.helperText}
        </p>
      )}
      {fault && (
        <p className="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
    </>
  );
  if (field.type === "toggle") return <Toggle {...control}>{notes}</Toggle>;
  if (field.type === "pills") return <Pills {...control}>{notes}</Pills>;
  return (
    <div className="field">
      <div className="row spread">
        <label htmlFor={id} className="label">
          {field.label}
        </label>
        {!field.required && <span className="hint">Optional</span>}
      </div>
      <Control {...control} />
      {notes}
    </div>
  );
}

function Control(props: ControlProps) {
  const { field, id, value, onChange, isInvalid, describedBy, placeholder } = props;
  const common = {
    id,
    className: "input",
    value: String(value ?? ""),
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
    "aria-invalid": isInvalid || undefined,
    "aria-describedby": describedBy,
    "aria-required": field.required || undefined,
  };
  if (field.type === "textarea") return <textarea rows={5} placeholder={placeholder} {...common} />;
  if (field.type === "json") return <textarea rows={6} spellCheck={false} placeholder={placeholder} {...common} className="input mono" />;
  if (field.type === "slider") return <Slider {...props} />;
  if (isMediaKind(field.type)) return <MediaInput {...props} />;
  if (field.options?.length) {
    return (
      <select {...common} onChange={(event) => onChange(chosen(field, event.target.value))}>
        {!field.required && <option value="">{placeholder}</option>}
        {field.options.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    );
  }
  // Numbers are texts here: an input of type number hides texts that are no number.
  return <input inputMode={field.type === "number" ? "decimal" : undefined} placeholder={placeholder} {...common} />;
}

function chosen(field: Field, text: string): unknown {
  return field.options?.find((option) => String(option) === text) ?? "";
}

function Slider({ field, id, value, onChange, describedBy }: ControlProps) {
  return (
    <div className="slider">
      <input
        type="range"
        id={id}
        min={field.min ?? 0}
        max={field.max ?? 100}
        step={field.step ?? "any"}
        value={String(value)}
        aria-describedby={describedBy}
        onChange={(event) => onChange(event.target.value)}
      />
      <output htmlFor={id} className="figures">
        {String(value)}
      </output>
    </div>
  );
}

function Pills({ field, id, value, onChange, isInvalid, describedBy, children }: ControlProps & { children: React.ReactNode }) {
  return (
    <fieldset className="field" role="radiogroup" aria-invalid={isInvalid || undefined} aria-describedby={describedBy}>
      <legend className="label">{field.label}</legend>
      <div className="pills">
        {field.options?.map((option) => (
          <label key={option} className="pill">
            <input
              type="radio"
              className="hidden-visually"
              name={id}
              checked={option === value}
              onChange={() => onChange(option)}
            />
            <span>{option}</span>
          </label>
        ))}
      </div>
      {children}
    </fieldset>
  );
}

function Toggle({ field, id, value, onChange, describedBy, children }: ControlProps & { children: React.ReactNode }) {
  return (
    <div className="field">
      <div className="row spread">
        <label htmlFor={id} className="label">
          {field.label}
        </label>
        <input
          type="checkbox"
          role="switch"
          id={id}
          className="switch"
          checked={value === true}
          aria-describedby={describedBy}
          onChange={(event) => onChange(event.target.checked)}
        />
      </div>
      {children}
    </div>
  );
}
