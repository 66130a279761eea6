import { useId } from "react";
import { useResource } from "../../api/resource";
import type { ExpressionTrial, PublicSchema } from "../../api/types";
import type { Judge } from "../../api/workflowTests";
import { Failed, Loading } from "../../components/States";
import { useStore } from "../document/store";
import { useWorkflows } from "../settings/calls/callee";
import { nameIn } from "../settings/calls/WorkflowWidget";
import { CompletedExpression, type TrialWords } from "../settings/expression/CompletedExpression";
import { type Variables, valueInWords } from "../settings/expression/paths";
import { TOO_LARGE } from "./Expectations";

interface Props {
  judge: Judge | null;
  /** Values of the run over which expressions are tried. */
  sample: Variables;
  onChange: (judge: Judge | null) => void;
}

/** A workflow of the account that gives a score for the run, which expectations read as `judge`. */
export function JudgeFields({ judge, sample, onChange }: Props) {
  const id = useId();
  const { slug } = useStore();
  const rows = useWorkflows().filter((row) => row.slug !== slug && row.version !== null && (!row.archived || row.slug === judge?.workflow));
  const chosen = judge?.workflow ?? "";
  return (
    <section className="stack tight" aria-label="Judge">
      <h4>
        <label htmlFor={id}>Judge</label>
      </h4>
      <p className="hint" id={`${id}-hint`}>
        Another workflow that gives a score, such as a model that reads the result. It runs after the test and is charged; expectations read its result as <code>judge</code>.
      </p>
      <select id={id} className="input" aria-describedby={`${id}-hint`} value={chosen} onChange={(event) => onChange(event.target.value ? { workflow: event.target.value, inputs: {} } : null)}>
        <option value="">No judge</option>
        {chosen && !rows.some((row) => row.slug === chosen) && <option value={chosen}>{chosen} (not published, or gone)</option>}
        {rows.map((row) => (
          <option key={row.slug} value={row.slug}>
            {nameIn(row, rows)}
          </option>
        ))}
      </select>
      {judge && <JudgeInputs judge={judge} sample={sample} onChange={onChange} />}
    </section>
  );
}

function JudgeInputs({ judge, sample, onChange }: Props & { judge: Judge }) {
  const { data, error, reload } = useResource<PublicSchema>(`/api/workflows/${judge.workflow}/schema`);
  if (!data) return error ? <Failed error={error} retry={reload} /> : <Loading height="5rem" />;
  return data.fields.map((field) => (
    <CompletedExpression
      key={field.name}
      label={field.label || field.name}
      isOptional={!field.required}
      placeholder="result"
      value={judge.inputs[field.name] ?? ""}
      variables={sample}
      offered="Values of the run"
      inWords={inWords}
      tooLarge={TOO_LARGE}
      onChange={(text) => onChange({ ...judge, inputs: { ...judge.inputs, [field.name]: text } })}
    />
  ));
}

function inWords({ result, truncated, problem }: ExpressionTrial): TrialWords {
  if (problem) return [problem, true];
  return [truncated ? "The run gives a large value." : `The run gives ${valueInWords(result)}.`, false];
}
