import { useEffect, useRef } from "react";
import type { Answer, Approval } from "../api/approvals";
import { useReload } from "../api/renewal";
import { useResource } from "../api/resource";
import type { ExecutionDetail, NodeValues } from "../api/types";
import { valuesPath } from "../editor/running/values/values";
import { Link } from "../shell/router";
import { AnswerView, answerIn } from "./AnswerView";
import { addressOf, keyOf, type Place, titleOf } from "./words";

const RENEW_MS = 2_000;

interface Props {
  /** The approval as it was listed last; its place alone where it never was. */
  approval: Place & Partial<Approval>;
  /** Its execution, where it was read. */
  run: ExecutionDetail | undefined;
  /** The answer, where it was given here. */
  given: Answer | undefined;
  /** The approval to go on with. */
  next: Approval | undefined;
}

/** An approval that waits no more: its answer, and the ways on. */
export function EndedApproval({ approval, run, given, next }: Props) {
  const { executionId, nodeId } = approval;
  const found = useRecordedAnswer(approval, run, given);
  const heading = useRef<HTMLHeadingElement>(null);
  // The button that was pressed is gone.
  useEffect(() => {
    if (given) heading.current?.focus({ preventScroll: true });
  }, [given]);
  return (
    <section className="panel stack approval" aria-label={`Approval ${titleOf(approval)}`}>
      <h2 ref={heading} tabIndex={-1}>
        {titleOf(approval)}
      </h2>
      <div role="status">
        {found.answer && <AnswerView answer={found.answer} form={approval.fields} />}
        {!found.answer && <p className="muted">{found.sentence}</p>}
      </div>
      <p className="row">
        {next && keyOf(next) !== keyOf({ executionId, nodeId }) && (
          <Link className="button primary" href={addressOf(next)}>
            Next approval
          </Link>
        )}
        <Link className="button" href={`/app/executions/${executionId}`}>
          See its execution
        </Link>
      </p>
    </section>
  );
}

/** The answer that an execution has on record, read again until it is there or the execution has ended. */
function useRecordedAnswer({ executionId, nodeId }: Place, run: ExecutionDetail | undefined, given: Answer | undefined): { answer?: Answer; sentence: string } {
  const { data, error, reload } = useResource<NodeValues>(given ? null : valuesPath(executionId, nodeId));
  const answer = given ?? answerIn(data?.outputs);
  const isSettled = answer !== undefined || error !== undefined || (run ? run.completedAt !== null : false);
  useReload(() => !isSettled && reload(), RENEW_MS);
  // Its answer may have come with the end, after the last read.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `reload` is made anew each time
  useEffect(() => {
    if (run?.completedAt && !given) reload();
  }, [run?.completedAt]);
  if (answer) return { answer, sentence: "" };
  if (error) return { sentence: error.status === 404 ? "There is no such approval." : error.message };
  return { sentence: `Nobody is asked any more${run ? reasonOf(run, nodeId) : "."}` };
}

/** The reason for which nobody is asked, as the rest of a sentence. */
function reasonOf({ status, nodes }: ExecutionDetail, nodeId: string): string {
  const error = nodes.find((node) => node.id === nodeId)?.error;
  if (error) return `: ${error.message}`;
  if (status === "cancelled" || status === "cancel_requested") return ": the run was cancelled.";
  return status === "processing" ? ": it was answered, or its time is over." : `: the run has ${status}.`;
}
