import { useId, useRef, useState } from "react";

interface Props {
  value: string;
  label: string;
  taken: readonly string[];
  pattern: RegExp;
  /** The rule of the pattern in words. */
  rule: string;
  onChange: (name: string) => void;
  isLabelShown?: boolean;
  /** It is focused and selected when it appears. */
  isFocused?: boolean;
}

/** A name that must differ from its neighbours. A wrong name stays in the field, and the former name counts. */
export function NameInput({ value, label, taken, pattern, rule, onChange, isLabelShown, isFocused }: Props) {
  const id = useId();
  const [typed, setTyped] = useState(value);
  const wasFocused = useRef(false);
  const [known, setKnown] = useState(value);
  if (known !== value) {
    setKnown(value);
    setTyped(value);
  }
  const fault = typed === value ? "" : faultOf(typed, taken, pattern, rule);
  return (
    <div className="field">
      {isLabelShown && <label htmlFor={id}>{label}</label>}
      <input
        id={id}
        ref={(input) => {
          if (!input || !isFocused || wasFocused.current) return;
          wasFocused.current = true;
          input.select();
        }}
        className="input"
        aria-label={isLabelShown ? undefined : label}
        aria-invalid={fault ? true : undefined}
        aria-describedby={fault ? `${id}-fault` : undefined}
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={({ target: { value: to } }) => {
          setTyped(to);
          if (to !== value && !faultOf(to, taken, pattern, rule)) onChange(to);
        }}
      />
      {fault && (
        <p className="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
    </div>
  );
}

function faultOf(name: string, taken: readonly string[], pattern: RegExp, rule: string): string {
  if (name === "") return "A name is needed.";
  if (taken.includes(name)) return `‘${name}’ is taken already.`;
  return pattern.test(name) ? "" : rule;
}
