import { useMemo } from "react";
import type { ExpressionTrial } from "../../api/types";
import { CompletedExpression, type ExpressionProps, type TrialWords } from "../../editor/settings/expression/CompletedExpression";
import { valueInWords } from "../../editor/settings/expression/paths";
import { type SampleEvent, variablesOf } from "./sample";

/** Kind of value that an expression must give. */
type Wanted = "condition" | "text" | "value";

interface Props extends Omit<ExpressionProps, "variables" | "offered" | "inWords" | "tooLarge"> {
  sample: SampleEvent;
  wanted: Wanted;
}

const TOO_LARGE = "The sample is too large to be tried as you type. Save, then send a test.";

/** An expression over an event, completed from a sample, with its result over the sample. */
export function CelField({ sample, wanted, ...rest }: Props) {
  const variables = useMemo(() => variablesOf(sample), [sample]);
  return (
    <CompletedExpression
      {...rest}
      variables={variables}
      offered="Values of the sample"
      tooLarge={TOO_LARGE}
      inWords={(trial) => resultInWords(trial, wanted)}
    />
  );
}

function resultInWords({ result, truncated, problem }: ExpressionTrial, wanted: Wanted): TrialWords {
  if (problem) return [problem, true];
  if (truncated) return ["The sample gives a value that is too large to be shown here.", false];
  if (wanted === "condition") {
    if (typeof result !== "boolean") return [`The sample gives ${valueInWords(result)}, and a condition gives true or false.`, true];
    return [result ? "True for the sample: a run would start." : "False for the sample: no run would start.", false];
  }
  if (wanted === "text" && typeof result !== "string") return [`The sample gives ${valueInWords(result)}, and an id is a text.`, true];
  return [`The sample gives ${valueInWords(result)}.`, false];
}
