import type { Answer, Approval } from "../api/approvals";
import { Ago } from "../components/Ago";
import { CopyButton } from "../components/CopyButton";
import { Link } from "../shell/router";
import { AnswerForm } from "./AnswerForm";
import { Question } from "./Question";
import { Deadline } from "./TimeLeft";
import { keyOf, titleOf } from "./words";

interface Props {
  approval: Approval;
  onAnswered: (answer: Answer) => void;
}

/** An approval with all that helps to decide, and its form. */
export function ApprovalPanel({ approval, onAnswered }: Props) {
  const { executionId, nodeId, message, since, until, url } = approval;
  return (
    <section className="panel stack approval" aria-label={`Approval ${titleOf(approval)}`}>
      <div className="row spread approval-head">
        <h2>{titleOf(approval)}</h2>
        {url && <CopyButton text={url} label="Copy link" name="Copy the approval link" />}
      </div>
      <p className="row small muted facts-line">
        <Origin approval={approval} />
        <span>
          asked <Ago at={since} />
        </span>
        <span>
          <Deadline until={until} />
        </span>
      </p>
      <Question executionId={executionId} nodeId={nodeId} message={message} />
      <AnswerForm key={keyOf(approval)} asked={approval} onAnswered={onAnswered} />
      {url && (
        <p className="hint">
          Whoever has the approval link can answer too, without an account. It shows title, message and form, and no
          value.
        </p>
      )}
    </section>
  );
}

/** The workflow and the execution that wait. */
export function Origin({ approval }: { approval: Pick<Approval, "executionId" | "rootId" | "nodeId" | "workflowSlug"> }) {
  const { executionId, rootId, nodeId, workflowSlug } = approval;
  return (
    <span>
      {workflowSlug && (
        <>
          <Link href={`/app/editor/${workflowSlug}`}>{workflowSlug}</Link>,{" "}
        </>
      )}
      execution <Link href={`/app/executions/${executionId}?${new URLSearchParams({ node: nodeId })}`}>{executionId.slice(0, 8)}</Link>
      {rootId && rootId !== executionId && (
        <>
          , part of <Link href={`/app/executions/${rootId}`}>{rootId.slice(0, 8)}</Link>
        </>
      )}
    </span>
  );
}
