import { useId } from "react";
import type { Missed, Overlap } from "../../api/triggers";

const OVERLAPS: [Overlap, string, string][] = [
  ["allow", "Start another one", "Runs may go on beside each other."],
  ["skip", "Skip that time", "It is listed as skipped, and no run begins."],
];
const MISSED: [Missed, string, string][] = [
  ["last", "Start one run, for the last time", "The times before it are listed as missed."],
  ["all", "Start a run for each time", "Of the newest 100; those before are listed as missed."],
  ["skip", "Start none", "All of them are listed as missed."],
];

interface Props {
  overlap: Overlap;
  missed: Missed;
  onChange: (changes: { overlap?: Overlap; missed?: Missed }) => void;
}

/** What a schedule does where runs overlap, and where times passed while nothing could run. */
export function Policies({ overlap, missed, onChange }: Props) {
  return (
    <>
      <Choices legend="When the run before still goes on" options={OVERLAPS} chosen={overlap} onChange={(to) => onChange({ overlap: to })} />
      <Choices
        legend="When times passed while nothing could run"
        hint="After an outage, for example. Times while the trigger is paused do not count."
        options={MISSED}
        chosen={missed}
        onChange={(to) => onChange({ missed: to })}
      />
    </>
  );
}

interface ChoicesProps<T extends string> {
  legend: string;
  hint?: string;
  options: [T, string, string][];
  chosen: T;
  onChange: (to: T) => void;
}

function Choices<T extends string>({ legend, hint, options, chosen, onChange }: ChoicesProps<T>) {
  const id = useId();
  return (
    <fieldset className="field policy">
      <legend className="label">{legend}</legend>
      {hint && <p className="hint">{hint}</p>}
      {options.map(([value, name, meaning]) => (
        <label key={value}>
          <input type="radio" name={id} checked={value === chosen} onChange={() => onChange(value)} />
          <span>
            {name} <span className="hint">{meaning}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
