/** Widgets of one control. */

import { useState } from "react";
import type { SettingSchema } from "../../catalogue/catalogue";
import { choiceInWords } from "./choices";
import { inWords, type WidgetProps } from "./widget";

/** Attributes that all controls have. */
export function attributes({ id, describedBy, isInvalid }: Pick<WidgetProps, "id" | "describedBy" | "isInvalid">) {
  return { id, "aria-describedby": describedBy, "aria-invalid": isInvalid || undefined };
}

function placeholderOf(schema: SettingSchema): string | undefined {
  return inWords(schema.default) || undefined;
}

export function Line(props: WidgetProps) {
  const { schema, value, onChange } = props;
  return (
    <input
      {...attributes(props)}
      className="input"
      placeholder={placeholderOf(schema)}
      value={inWords(value)}
      onChange={(event) => onChange(event.target.value || undefined)}
    />
  );
}

export function Lines(props: WidgetProps) {
  const { value, onChange } = props;
  return (
    <textarea
      {...attributes(props)}
      className="input"
      rows={6}
      value={inWords(value)}
      onChange={(event) => onChange(event.target.value || undefined)}
    />
  );
}

/** The number of a text; a text that is none stays, so that the check can tell about it. */
export function readNumber(text: string): unknown {
  const plain = text.trim().replace(",", ".");
  if (plain === "") return undefined;
  return Number.isFinite(Number(plain)) ? Number(plain) : text;
}

/** Text that stays as typed for as long as it means the value. */
export function useTyped(value: unknown, show: (value: unknown) => string, read: (text: string) => unknown) {
  const [typed, setTyped] = useState(() => show(value));
  const isCurrent = JSON.stringify(read(typed)) === JSON.stringify(value);
  return [isCurrent ? typed : show(value), setTyped] as const;
}

type NumberProps = Omit<WidgetProps, "node" | "name" | "label" | "onChange"> & {
  onChange: (value: unknown) => void;
  label?: string;
};

export function NumberInput(props: NumberProps) {
  const { schema, value, onChange, label } = props;
  const [text, setText] = useTyped(value, inWords, readNumber);
  return (
    <input
      {...attributes(props)}
      aria-label={label}
      className="input"
      inputMode="decimal"
      placeholder={placeholderOf(schema)}
      value={text}
      onChange={(event) => {
        setText(event.target.value);
        onChange(readNumber(event.target.value));
      }}
    />
  );
}

export function NumberLine({ label: _, ...props }: WidgetProps) {
  return <NumberInput {...props} />;
}

/** Steps of about a hundredth of the range. */
function stepOf(least: number, most: number): number {
  return 10 ** Math.floor(Math.log10((most - least) / 50));
}

export function Slider(props: WidgetProps) {
  const { schema, value, onChange, node: _, name: __, label: ___, ...rest } = props;
  const least = schema.minimum ?? 0;
  const most = schema.maximum ?? 100;
  const shown = typeof value === "number" ? value : ((schema.default as number | undefined) ?? least);
  return (
    <div className="with-figure">
      <input
        {...attributes(props)}
        type="range"
        min={least}
        max={most}
        step={stepOf(least, most)}
        value={shown}
        onChange={(event) => onChange(Number(event.target.value))}
      />
      <NumberInput {...rest} id={`${props.id}-exact`} schema={schema} value={value} onChange={onChange} label="Exact figure" />
    </div>
  );
}

function choicesOf(schema: SettingSchema): string[] {
  return (schema.enum ?? schema.examples ?? []).filter((each): each is string => typeof each === "string");
}

export function Choice(props: WidgetProps) {
  const { name, schema, value, onChange } = props;
  const byDefault = inWords(schema.default);
  const shown = typeof value === "string" ? value : "";
  const known = choicesOf(schema);
  const choices = shown && !known.includes(shown) ? [...known, shown] : known;
  const isRequired = byDefault === "" && !choices.includes("") && !allowsNone(schema);
  return (
    <select
      {...attributes(props)}
      className="input"
      value={shown === byDefault ? "" : shown}
      onChange={(event) => onChange(event.target.value || undefined)}
    >
      <option value="">{byDefault ? `${choiceInWords(name, byDefault)} (default)` : isRequired ? "Choose…" : "Not set"}</option>
      {choices
        .filter((choice) => choice !== byDefault)
        .map((choice) => (
          <option key={choice} value={choice}>
            {choiceInWords(name, choice)}
          </option>
        ))}
    </select>
  );
}

function allowsNone(schema: SettingSchema): boolean {
  return Boolean(schema.enum?.includes(null)) || (Array.isArray(schema.type) && schema.type.includes("null"));
}

export function Switch(props: WidgetProps) {
  const { schema, value, onChange } = props;
  const byDefault = schema.default === true;
  return (
    <input
      {...attributes(props)}
      type="checkbox"
      role="switch"
      className="switch"
      checked={typeof value === "boolean" ? value : byDefault}
      onChange={(event) => onChange(event.target.checked === byDefault ? undefined : event.target.checked)}
    />
  );
}

const COLOR = /^#([0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})$/i;

/** The six digits of a color, for the picker, which knows no transparency. */
function sixDigits(color: string): string {
  if (!COLOR.test(color)) return "#000000";
  if (color.length === 4) return `#${[...color.slice(1)].map((digit) => digit + digit).join("")}`;
  return color.slice(0, 7);
}

export function Color(props: WidgetProps) {
  const { schema, value, onChange } = props;
  const shown = inWords(value) || inWords(schema.default);
  const opacity = shown.length === 9 ? shown.slice(7) : "";
  return (
    <div className="with-swatch">
      <input
        type="color"
        aria-label="Palette"
        value={sixDigits(shown)}
        onChange={(event) => onChange(event.target.value + opacity)}
      />
      <Line {...props} />
    </div>
  );
}

export function Retry({ schema, value, onChange, node: _, name, ...rest }: WidgetProps) {
  const retry = (value ?? {}) as { attempts?: unknown; backoff?: unknown };
  const set = (part: "attempts" | "backoff", to: unknown): void => {
    const next = Object.fromEntries(Object.entries({ ...retry, [part]: to }).filter(([, each]) => each !== undefined));
    onChange(Object.keys(next).length ? next : undefined, part);
  };
  const parts = [
    ["attempts", "Calls at most"],
    ["backoff", "Pause at first, in seconds"],
  ] as const;
  return (
    <div className="pair">
      {parts.map(([part, label]) => (
        <div key={part} className="field" data-field={`${name}.${part}`}>
          <label htmlFor={`${rest.id}-${part}`} className="small">
            {label}
          </label>
          <NumberInput
            {...rest}
            id={`${rest.id}-${part}`}
            label={undefined}
            schema={schema.properties?.[part] ?? {}}
            value={retry[part]}
            onChange={(to) => set(part, to)}
          />
        </div>
      ))}
    </div>
  );
}
