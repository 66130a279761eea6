import type { Waiting } from "../../../api/approvals";
import { AnswerForm } from "../../../approvals/AnswerForm";
import { Question } from "../../../approvals/Question";
import { Deadline } from "../../../approvals/TimeLeft";
import { titleOf } from "../../../approvals/words";
import { CopyButton } from "../../../components/CopyButton";
import { Dialog } from "../../../components/Dialog";
import { isOfRun, openWaits, type RunState } from "../../../playground/runState";
import { useRunning, useRuns } from "../runs";
import { decisionOf } from "./decision";

/** An approval of the run that is shown, to be answered here. */
export function AnswerDialog() {
  const runs = useRuns();
  const wait = useRunning((running) => running.answered);
  const run = useRunning((running) => running.run);
  if (!wait || !run?.executionId) return null;
  const close = (): void => runs.set({ answered: null });
  const { nodeId, title = "", message = "", fields = [], until, url, executionId = run.executionId } = wait;
  return (
    <Dialog title={titleOf({ title, nodeId })} onClose={close}>
      <Question executionId={executionId} nodeId={nodeId} message={message} />
      {isOpen(wait, run) ? (
        <>
          <AnswerForm key={`${executionId} ${nodeId}`} asked={{ executionId, nodeId, fields }} onAnswered={close} />
          <div className="row spread answer-foot">
            <span className="hint">
              <Deadline until={until} />
            </span>
            {url && <CopyButton text={url} label="Copy link" name="Copy the approval link" />}
          </div>
        </>
      ) : (
        <Over wait={wait} run={run} />
      )}
    </Dialog>
  );
}

interface Props {
  wait: Waiting;
  run: RunState;
}

function isOpen(wait: Waiting, run: RunState): boolean {
  return openWaits(run).some((each) => each.nodeId === wait.nodeId && each.executionId === wait.executionId);
}

/** The end of an approval that came from elsewhere. */
function Over({ wait, run }: Props) {
  const node = isOfRun(wait, run) ? run.nodes.find(({ id }) => id === wait.nodeId) : undefined;
  const decision = node && decisionOf(node);
  return (
    <p className="note warn" role="status">
      {decision ? `Somebody was faster: it is ${decision.toLowerCase()} already.` : "Nobody is asked any more."}
    </p>
  );
}
