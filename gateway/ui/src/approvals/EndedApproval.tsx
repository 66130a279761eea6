import { useEffect, useRef } from "react";
import type { Answer, Approval } from "../api/approvals";
import { useReload } from "../api/renewal";
import { useResource } from "../api/resource";
import type { NodeValues } from "../api/types";
import { valuesPath } from "../editor/running/values/values";
import { Link } from "../shell/router";
import { AnswerView, answerIn } from "./AnswerView";
import { addressOf, keyOf, titleOf } from "./words";

const RENEW_MS = 2_000;

interface Props {
  /** The approval as it was seen last; its place alone where it never was. */
  approval: Pick<Approval, "executionId" | "nodeId"> & Partial<Approval>;
  /** The answer, where it was given here. */
  given: Answer | undefined;
  /** The approval to go on with. */
  next: Approval | undefined;
}

/** An approval that waits no more: its answer, and the ways on. */
export function EndedApproval({ approval, given, next }: Props) {
  const { executionId, nodeId } = approval;
  const found = useAnswer(executionId, nodeId, given);
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
        {found.answer && <AnswerView answer={found.answer} />}
        {!found.answer && <p className="muted">{found.sentence}</p>}
      </div>
      <p className="row">
        {next && keyOf(next) !== keyOf(approval) && (
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

/** The answer that an execution has on record, read again until it is there. */
function useAnswer(executionId: string, nodeId: string, given: Answer | undefined): { answer?: Answer; sentence: string } {
  const { data, error, reload } = useResource<NodeValues>(given ? null : valuesPath(executionId, nodeId));
  const answer = given ?? answerIn(data?.outputs);
  useReload(() => !answer && !error && reload(), RENEW_MS);
  if (answer) return { answer, sentence: "" };
  if (error) return { sentence: error.status === 404 ? "There is no such approval." : error.message };
  return { sentence: "Nobody is asked any more: it was answered, its time is over, or its run has ended." };
}
