import { useId, useMemo } from "react";
import { useTrial } from "../../api/trials";
import type { ExpressionTrial } from "../../api/types";
import { CodeArea, replaceRange } from "../../editor/settings/template/CodeArea";
import { useCompletion } from "../../editor/settings/template/useCompletion";
import "../../editor/settings/template/template.css";
import { fitting, openPathAt, pathsOf, type SampleEvent, type SamplePath, valueInWords } from "./sample";

/** Most characters of a sample that is sent after each change of an expression. */
const MOST_TRIED = 100_000;

/** Kind of value that an expression must give. */
type Wanted = "condition" | "text" | "value";

interface Props {
  label: string;
  hint?: string;
  placeholder?: string;
  value: string;
  sample: SampleEvent;
  wanted: Wanted;
  fault?: string;
  isOptional?: boolean;
  onChange: (text: string) => void;
}

/** An expression over an event, completed from a sample, with its result over the sample. */
export function CelField({ label, hint, placeholder, value, sample, wanted, fault, isOptional, onChange }: Props) {
  const id = useId();
  const described = [hint && `${id}-hint`, `${id}-result`, fault && `${id}-fault`].filter(Boolean).join(" ");
  return (
    <div className="field">
      <div className="row spread">
        <label htmlFor={id} className="label">
          {label}
        </label>
        {isOptional && <span className="hint">Optional</span>}
      </div>
      {hint && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
      <CompletedArea id={id} describedBy={described} placeholder={placeholder} value={value} sample={sample} isInvalid={Boolean(fault)} onChange={onChange} />
      <Result id={`${id}-result`} text={value} sample={sample} wanted={wanted} />
      {fault && (
        <p id={`${id}-fault`} className="fault">
          {fault}
        </p>
      )}
    </div>
  );
}

interface AreaProps {
  id: string;
  describedBy: string;
  placeholder?: string;
  value: string;
  sample: SampleEvent;
  isInvalid: boolean;
  onChange: (text: string) => void;
}

function CompletedArea({ id, describedBy, placeholder, value, sample, isInvalid, onChange }: AreaProps) {
  const paths = useMemo(() => pathsOf(sample), [sample]);
  const { list, suggestions, active, choose, begin, areaProps } = useCompletion({
    text: value,
    openAt: openPathAt,
    suggest: (sought) => fitting(paths, sought),
    complete: (area, from, caret, { text }: SamplePath) => replaceRange(area, from, caret, text),
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
        onChange={(text) => {
          onChange(text);
          begin();
        }}
      />
      {suggestions.length > 0 && <PathList id={list} paths={suggestions} active={active} onChoose={choose} />}
    </div>
  );
}

interface ListProps {
  id: string;
  paths: readonly SamplePath[];
  active: number;
  onChoose: (path: SamplePath) => void;
}

/** Values of the sample that fit the path at the caret. */
function PathList({ id, paths, active, onChoose }: ListProps) {
  return (
    <div className="choices" role="listbox" id={id} aria-label="Values of the sample">
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
function Result({ id, text, sample, wanted }: { id: string; text: string; sample: SampleEvent; wanted: Wanted }) {
  const load = useMemo(() => {
    const { body, headers, query, method } = sample;
    const variables = { body, headers, query, method };
    return JSON.stringify(variables).length > MOST_TRIED ? null : async () => ({ variables });
  }, [sample]);
  const trial = useTrial(text, load);
  const [words, isFault] = wordsOf(trial, text, wanted, load === null);
  return (
    <p id={id} className={isFault ? "fault" : "hint"} role="status">
      {words}
    </p>
  );
}

const TOO_LARGE = "The sample is too large to be tried as you type. Save, then send a test.";

/** The words below an expression, and whether they tell a fault. */
function wordsOf(trial: ExpressionTrial | null, text: string, wanted: Wanted, isTooLarge: boolean): [string, boolean] {
  if (!text.trim()) return ["", false];
  if (isTooLarge) return [TOO_LARGE, false];
  return trial ? resultInWords(trial, wanted) : ["", false];
}

function resultInWords({ result, truncated, problem }: ExpressionTrial, wanted: Wanted): [string, boolean] {
  if (problem) return [problem, true];
  if (truncated) return ["The sample gives a value that is too large to be shown here.", false];
  if (wanted === "condition") {
    if (typeof result !== "boolean") return [`The sample gives ${valueInWords(result)}, and a condition gives true or false.`, true];
    return [result ? "True for the sample: a run would start." : "False for the sample: no run would start.", false];
  }
  if (wanted === "text" && typeof result !== "string") return [`The sample gives ${valueInWords(result)}, and an id is a text.`, true];
  return [`The sample gives ${valueInWords(result)}.`, false];
}
