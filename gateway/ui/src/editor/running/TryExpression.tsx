import { useMemo } from "react";
import { get } from "../../api/client";
import { useResource } from "../../api/resource";
import { type TrialValues, useTrial } from "../../api/trials";
import type { ExpressionTrial, GraphNode, NodeValues } from "../../api/types";
import { useRecent, useRecorded } from "./recent";
import { useRunning } from "./runs";
import { SocketValue } from "./values/SocketValue";
import { isTruncated, valuesPath } from "./values/values";

/** The result of an expression over the values that reached its node in the last run, as one types. */
export function TryExpression({ node, text }: { node: GraphNode; text: string }) {
  const shown = useRunning(({ run }) => run?.executionId);
  const recent = useRecent();
  const execution = useRecorded(shown ?? recent[0]?.executionId);
  const hasRun = execution?.nodes.some((each) => each.id === node.id && each.status !== "skipped");
  const values = useResource<NodeValues>(hasRun && execution ? valuesPath(execution.executionId, node.id) : null).data;
  const inputs = values?.inputs;
  const names = JSON.stringify(Array.isArray(node.data.variables) ? node.data.variables : []);
  const load = useMemo(() => (inputs ? () => valuesOf(inputs, JSON.parse(names) as string[]) : null), [inputs, names]);
  const trial = useTrial(text, load);
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

async function valuesOf(inputs: Record<string, unknown>, names: string[]): Promise<TrialValues> {
  const variables = await Promise.all(names.map(async (name) => [name, await whole(inputs[name])]));
  return { value: await whole(inputs["value-in"]), variables: Object.fromEntries(variables) as Record<string, unknown> };
}

async function whole(value: unknown): Promise<unknown> {
  return isTruncated(value) ? get(value.url) : (value ?? null);
}
