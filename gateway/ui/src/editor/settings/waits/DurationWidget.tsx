import { useState } from "react";
import { attributes, readNumber, useTyped } from "../widgets/simple";
import { inWords, type WidgetProps } from "../widgets/widget";
import { durationInWords, UNITS, type Unit, unitOf } from "./durations";

const HOURS = UNITS[2] as Unit;

/** A number of seconds, set as an amount of a unit. */
export function DurationWidget(props: WidgetProps) {
  const { schema, value, label, id, onChange } = props;
  const byDefault = typeof schema.default === "number" ? schema.default : undefined;
  const seconds = typeof value === "number" ? value : undefined;
  const [chosen, choose] = useState(() => unitOf(seconds ?? byDefault ?? 0, HOURS));
  // An undo, or a merge, may bring a duration that the chosen unit does not show well.
  const unit = seconds === undefined || isShort(seconds / chosen.seconds) ? chosen : unitOf(seconds, HOURS);
  const show = (of: unknown): string => (typeof of === "number" ? String(round(of / unit.seconds)) : inWords(of));
  const read = (text: string): unknown => inSeconds(text, unit);
  const [text, setText] = useTyped(value, show, read);
  const placeholder = byDefault === undefined ? undefined : String(round(byDefault / unit.seconds));
  const turnTo = (next: Unit): void => {
    choose(next);
    if (seconds !== undefined) onChange(inSeconds(text, next));
  };
  return (
    <div className="duration">
      <input
        {...attributes(props)}
        className="input"
        inputMode="decimal"
        autoComplete="off"
        placeholder={placeholder}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          onChange(read(event.target.value));
        }}
      />
      <select
        id={`${id}-unit`}
        className="input"
        aria-label={`Unit of ${label.toLowerCase()}`}
        value={unit.name}
        onChange={(event) => turnTo(UNITS.find(({ name }) => name === event.target.value) ?? unit)}
      >
        {UNITS.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <p className="hint">{rangeOf(schema.minimum, schema.maximum, byDefault)}</p>
    </div>
  );
}

/** Whether a number has few digits behind its point. */
function isShort(amount: number): boolean {
  return round(amount) === amount;
}

function round(amount: number): number {
  return Number(amount.toFixed(3));
}

/** The seconds of a typed amount; a text that is no number stays, so that the check can tell about it. */
function inSeconds(text: string, { seconds }: Unit): unknown {
  const amount = readNumber(text);
  return typeof amount === "number" ? round(amount * seconds) : amount;
}

function rangeOf(least: number | undefined, most: number | undefined, byDefault: number | undefined): string {
  const range = most === undefined ? "" : least ? `${durationInWords(least)} to ${durationInWords(most)}` : `Up to ${durationInWords(most)}`;
  const otherwise = byDefault === undefined ? "" : `; ${durationInWords(byDefault)} if nothing is set`;
  return `${range}${otherwise}.`;
}
