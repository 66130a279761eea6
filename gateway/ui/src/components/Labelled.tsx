import { type ReactNode, useId } from "react";

/** A control of a row of filters, with its label above. */
export function Labelled({ label, children }: { label: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="filter">
      <label htmlFor={id}>{label}</label>
      {children(id)}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  /** The words for an empty value. */
  any: string;
  onChange: (value: string) => void;
  /** Values and their words. */
  children: [string, string][];
}

/** A choice in a row of filters; a value that is not among the choices is shown as it is. */
export function Choice({ label, value, any, onChange, children }: ChoiceProps) {
  const isListed = value === "" || children.some(([each]) => each === value);
  return (
    <Labelled label={label}>
      {(id) => (
        <select id={id} className="input compact" value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">{any}</option>
          {!isListed && <option>{value}</option>}
          {children.map(([each, shown]) => (
            <option key={each} value={each}>
              {shown}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}
