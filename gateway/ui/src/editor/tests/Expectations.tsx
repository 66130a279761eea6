import { MOST_EXPECTATIONS } from "../../api/workflowTests";
import type { ExpressionTrial } from "../../api/types";
import { Button } from "../../components/Button";
import { CompletedExpression, type TrialWords } from "../settings/expression/CompletedExpression";
import { FunctionList } from "../settings/expression/FunctionList";
import { type Variables, valueInWords } from "../settings/expression/paths";
import { suggestionsFrom } from "./sample";
import type { TestDraft } from "./testDraft";

export const TOO_LARGE = "The values of the run are too large to be tried as you type. Save the test, then run it.";

const UNJUDGED: TrialWords = ["It is tried once the test has run, and its judge with it.", false];

interface Props {
  draft: TestDraft;
  /** Values of the run over which expressions are tried; empty without a run. */
  sample: Variables;
  onChange: (expect: string[]) => void;
}

/** Conditions that must all be true, each with its result over a run. */
export function Expectations({ draft: { expect, judge }, sample, onChange }: Props) {
  const suggested = suggestionsFrom(sample).filter((each) => !expect.includes(each));
  const set = (place: number, text: string): void => onChange(expect.map((each, at) => (at === place ? text : each)));
  const add = (text: string): void => onChange([...expect.filter((each, at) => each.trim() || at < expect.length - 1), text]);
  return (
    <>
      <h3>Expectations</h3>
      <p className="hint">
        Each is a condition in CEL over <code>result</code>, <code>nodes</code>, <code>cost</code>, <code>ms</code> and <code>status</code>
        {judge && (
          <>
            , and <code>judge</code>
          </>
        )}
        . {Object.keys(sample).length > 0 ? "They are tried over a run as you type." : "Run the workflow once to try them as you type."}
      </p>
      {expect.map((text, place) => (
        <CompletedExpression
          // biome-ignore lint/suspicious/noArrayIndexKey: expectations have no identity
          key={place}
          label={`Expectation ${place + 1}`}
          placeholder='status == "completed"'
          value={text}
          variables={sample}
          offered="Values of the run"
          inWords={judge && !("judge" in sample) && /\bjudge\b/.test(text) ? () => UNJUDGED : inWords}
          tooLarge={TOO_LARGE}
          onChange={(to) => set(place, to)}
          beside={
            <Button look="quiet" isCompact aria-label={`Remove expectation ${place + 1}`} onClick={() => onChange(expect.filter((_, at) => at !== place))}>
              Remove
            </Button>
          }
        />
      ))}
      <div className="row">
        <Button isCompact disabled={expect.length >= MOST_EXPECTATIONS} onClick={() => onChange([...expect, ""])}>
          Add expectation
        </Button>
      </div>
      {suggested.length > 0 && (
        <p className="row hint">
          True for the run:
          {suggested.map((each) => (
            <button type="button" className="chip" key={each} aria-label={`Expect ${each}`} onClick={() => add(each)}>
              {each}
            </button>
          ))}
        </p>
      )}
      <FunctionList />
    </>
  );
}

function inWords({ result, truncated, problem }: ExpressionTrial): TrialWords {
  if (problem) return [problem, true];
  if (truncated || typeof result !== "boolean") {
    return [`The run gives ${truncated ? "a large value" : valueInWords(result)}, and an expectation gives true or false.`, true];
  }
  return [result ? "True for the run: the test would pass." : "False for the run: the test would fail.", false];
}
