import { type InputHTMLAttributes, useId } from "react";

interface Props extends Omit<InputHTMLAttributes<HTMLInputElement>, "onChange"> {
  label: string;
  hint?: string;
  fault?: string;
  onChange: (value: string) => void;
}

/** A line of text with its label, its help and its fault. */
export function TextField({ label, hint, fault, onChange, ...rest }: Props) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        aria-invalid={fault ? true : undefined}
        aria-describedby={hint || fault ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.target.value)}
        {...rest}
      />
      {(fault || hint) && (
        <p id={`${id}-hint`} className={fault ? "fault" : "hint"}>
          {fault || hint}
        </p>
      )}
    </div>
  );
}
