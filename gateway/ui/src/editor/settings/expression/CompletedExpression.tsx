import { type FocusEvent, useId, useMemo } from "react";
import { useTrial } from "../../../api/trials";
import type { ExpressionTrial } from "../../../api/types";
import { CodeArea, replaceRange } from "../template/CodeArea";
import "../template/template.css";
import { useCompletion } from "../template/useCompletion";
import { noteArea } from "./ExpressionEditor";
import { fitting, openPathAt, pathsOf, type ValuePath, type Variables, valueInWords } from "./paths";

/** Most characters of values that are sent after each change of an expression. */
const MOST_TRIED = 100_000;

/** Words below an expression, and whether they tell a fault. */
export type TrialWords = [words: string, isFault: boolean];

export interface ExpressionProps {
  label: string;
  hint?: string;
  placeholder?: string;
  value: string;
  /** Values that the expression is completed from and tried over; keep the object while they stay the same. */
  variables: Variables;
  /** Heading of the values that are offered. */
  offered: string;
  inWords: (trial: ExpressionTrial) => TrialWords;
  /** Words where the values are too large to be sent at each change. */
  tooLarge: string;
  fault?: string;
  isOptional?: boolean;
  /** A control beside the label. */
  beside?: React.ReactNode;
  onChange: (text: string) => void;
}

/** An expression in CEL over named values, completed from a sample of them, with its result over the sample. */
export function CompletedExpression({ label, hint, fault, isOptional, beside, ...area }: ExpressionProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, `${id}-result`, fault && `${id}-fault`].filter(Boolean).join(" ");
  return (
    <div className="field">
      <div className="row spread">
        <label htmlFor={id} className="label">
          {label}
        </label>
        {isOptional && <span className="hint">Optional</span>}
        {beside}
      </div>
      {hint && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
      <CompletedArea {...area} id={id} describedBy={described} isInvalid={Boolean(fault)} />
      <Result {...area} id={`${id}-result`} />
      {fault && (
        <p id={`${id}-fault`} className="fault">
          {fault}
        </p>
      )}
    </div>
  );
}

interface AreaProps extends Pick<ExpressionProps, "placeholder" | "value" | "variables" | "offered" | "onChange"> {
  id: string;
  describedBy: string;
  isInvalid: boolean;
}

function CompletedArea({ id, describedBy, placeholder, value, variables, offered, isInvalid, onChange }: AreaProps) {
  const paths = useMemo(() => pathsOf(variables), [variables]);
  const { list, suggestions, active, choose, begin, areaProps } = useCompletion({
    text: value,
    openAt: openPathAt,
    suggest: (sought) => fitting(paths, sought),
    complete: (area, from, caret, { text }: ValuePath) => replaceRange(area, from, caret, text),
  });
  return (
    <div className="template-editor">
      <CodeArea
        {...areaProps}
        id={id}
        isCode
        rows={1}
        aria-describedby={describedBy}
        aria-invalid={isInvalid || undefined}
        placeholder={placeholder}
        value={value}
        onFocus={(event: FocusEvent<HTMLTextAreaElement>) => noteArea(event.target)}
        onChange={(text) => {
          onChange(text);
          begin();
        }}
      />
      {suggestions.length > 0 && <PathList id={list} name={offered} paths={suggestions} active={active} onChoose={choose} />}
    </div>
  );
}

interface ListProps {
  id: string;
  name: string;
  paths: readonly ValuePath[];
  active: number;
  onChoose: (path: ValuePath) => void;
}

/** Values that fit the path at the caret. */
function PathList({ id, name, paths, active, onChoose }: ListProps) {
  return (
    <div className="choices" role="listbox" id={id} aria-label={name}>
      {paths.map((each, place) => (
        <div
          key={each.text}
          id={`${id}-${place}`}
          role="option"
          aria-selected={place === active}
          tabIndex={-1}
          ref={place === active ? show : undefined}
          onMouseDown={(event) => {
            event.preventDefault();
            onChoose(each);
          }}
        >
          <code>{each.text}</code>
          <span className="hint">{valueInWords(each.value)}</span>
        </div>
      ))}
    </div>
  );
}

function show(option: HTMLElement | null): void {
  option?.scrollIntoView({ block: "nearest" });
}

/** The result over the sample, or the reason that there is none. */
function Result({ id, value, variables, inWords, tooLarge }: Pick<ExpressionProps, "value" | "variables" | "inWords" | "tooLarge"> & { id: string }) {
  const load = useMemo(() => {
    if (Object.keys(variables).length === 0 || JSON.stringify(variables).length > MOST_TRIED) return null;
    return async () => ({ variables: { ...variables } });
  }, [variables]);
  const trial = useTrial(value, load);
  const isTooLarge = load === null && Object.keys(variables).length > 0;
  const [words, isFault] = !value.trim() ? ["", false] : isTooLarge ? [tooLarge, false] : trial ? inWords(trial) : ["", false];
  return (
    <p id={id} className={isFault ? "fault" : "hint"} role="status">
      {words}
    </p>
  );
}
