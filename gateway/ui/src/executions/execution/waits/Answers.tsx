import { useResource } from "../../../api/resource";
import type { ExecutionDetail, ExecutionNode, NodeValues } from "../../../api/types";
import { AnswerView, answerIn } from "../../../approvals/AnswerView";
import { valuesPath } from "../../../editor/running/values/values";
import "./waits.css";

/** More answers than these are told by their nodes alone: each costs a call. */
const MOST = 10;

/** The answers that the approvals of a run were given. */
export function Answers({ execution }: { execution: ExecutionDetail }) {
  const nodes = execution.nodes.filter((node) => node.type === "approval" && node.status === "completed");
  return nodes.slice(0, MOST).map((node) => <NodeAnswer key={node.id} executionId={execution.executionId} node={node} />);
}

function NodeAnswer({ executionId, node }: { executionId: string; node: ExecutionNode }) {
  const { data } = useResource<NodeValues>(valuesPath(executionId, node.id));
  const answer = answerIn(data?.outputs);
  if (!answer) return null;
  return (
    <section className="note node-answer" aria-label={`Answer at ${node.id}`}>
      <AnswerView answer={answer} heading={<h2>{node.id}</h2>} />
    </section>
  );
}
