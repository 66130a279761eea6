import { useEffect, useState } from "react";
import { type ApiError, call, get, secondsToWait } from "../../api/client";
import { useResource } from "../../api/resource";
import type { ExpressionTrial, GraphNode, NodeValues } from "../../api/types";
import { useRecent, useRecorded } from "./recent";
import { useRunning } from "./runs";
import { SocketValue } from "./values/SocketValue";
import { isTruncated, valuesPath } from "./values/values";

const PAUSE_MS = 300;

/** The result of an expression over the values that reached its node in the last run, as one types. */
export function TryExpression({ node, text }: { node: GraphNode; text: string }) {
  const shown = useRunning(({ run }) => run?.executionId);
  const recent = useRecent();
  const execution = useRecorded(shown ?? recent[0]?.executionId);
  const hasRun = execution?.nodes.some((each) => each.id === node.id && each.status !== "skipped");
  const values = useResource<NodeValues>(hasRun && execution ? valuesPath(execution.executionId, node.id) : null).data;
  const inputs = values?.inputs;
  const trial = useTrial(text, node.data.variables, inputs);
  if (!text.trim()) return null;
  if (!inputs) return <p className="hint">Run the workflow to try the expression over its values.</p>;
  return (
    <section className="expression-trial" aria-label="Result over the last run">
      <p className="hint">Over the values of the last run:</p>
      <div role="status">{trial && <Outcome trial={trial} />}</div>
    </section>
  );
}

function Outcome({ trial: { result, truncated, problem } }: { trial: ExpressionTrial }) {
  if (problem) return <p className="fault">{problem}</p>;
  if (truncated) return <p className="muted">It has a result, which is too large to be shown here.</p>;
  return <SocketValue name="Result" value={result} />;
}

/** Ask for the result shortly after each change; one question at a time. */
function useTrial(text: string, names: unknown, inputs: Record<string, unknown> | null | undefined): ExpressionTrial | null {
  const [trial, setTrial] = useState<ExpressionTrial | null>(null);
  const variables = JSON.stringify(Array.isArray(names) ? names : []);
  useEffect(() => {
    if (!inputs || !text.trim()) return setTrial(null);
    let isWanted = true;
    let timer = 0;
    const ask = async (): Promise<void> => {
      const answer = await attempt(text, JSON.parse(variables) as string[], inputs);
      if (!isWanted) return;
      if (typeof answer === "number") timer = window.setTimeout(() => void ask(), answer * 1000);
      else setTrial(answer);
    };
    timer = window.setTimeout(() => void ask(), PAUSE_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [text, variables, inputs]);
  return trial;
}

let turn: Promise<unknown> = Promise.resolve();

/** Return the answer, or the seconds after which the server takes another trial. */
function attempt(expression: string, names: string[], inputs: Record<string, unknown>): Promise<ExpressionTrial | number> {
  const ask = turn.then(async (): Promise<ExpressionTrial | number> => {
    try {
      const body = {
        expression,
        value: await whole(inputs["value-in"]),
        variables: Object.fromEntries(await Promise.all(names.map(async (name) => [name, await whole(inputs[name])]))),
      };
      return await call<ExpressionTrial>("POST", "/api/expressions/try", body);
    } catch (error) {
      const seconds = secondsToWait(error);
      if (seconds !== null) return seconds;
      return { result: null, truncated: false, problem: (error as ApiError).message };
    }
  });
  turn = ask;
  return ask;
}

async function whole(value: unknown): Promise<unknown> {
  return isTruncated(value) ? get(value.url) : (value ?? null);
}
