import { waitingOf } from "../../../api/approvals";
import type { ExecutionDetail, ExecutionNode, NodeValues } from "../../../api/types";
import { AnswerView, answerIn } from "../../../approvals/AnswerView";
import { Wait } from "./WaitList";
import "./waits.css";

interface Props {
  execution: ExecutionDetail;
  node: ExecutionNode;
  values: NodeValues | undefined;
}

/** The wait of a node that waits, and the answer of an approval that was given one; nothing for other nodes. */
export function NodeWait({ execution, node, values }: Props) {
  const wait = waitingOf(execution).find((each) => each.nodeId === node.id && (each.executionId ?? execution.executionId) === execution.executionId);
  if (wait) {
    return (
      <div className="note">
        <Wait wait={wait} executionId={execution.executionId} hasValue={false} />
      </div>
    );
  }
  const answer = node.type === "approval" ? answerIn(values?.outputs) : undefined;
  if (!answer) return null;
  return (
    <section className="stack node-panel-part" aria-label="Answer">
      <h3>Answer</h3>
      <AnswerView answer={answer} />
    </section>
  );
}
