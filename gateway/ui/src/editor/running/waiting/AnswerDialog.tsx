import { AnswerForm } from "../../../approvals/AnswerForm";
import { Question } from "../../../approvals/Question";
import { Deadline } from "../../../approvals/TimeLeft";
import { titleOf } from "../../../approvals/words";
import { CopyButton } from "../../../components/CopyButton";
import { Dialog } from "../../../components/Dialog";
import { useRunning, useRuns } from "../runs";

/** An approval of the run that is shown, to be answered here. */
export function AnswerDialog() {
  const runs = useRuns();
  const wait = useRunning((running) => running.answered);
  const ownId = useRunning(({ run }) => run?.executionId);
  if (!wait || !ownId) return null;
  const close = (): void => runs.set({ answered: null });
  const { nodeId, title = "", message = "", fields = [], until, url, executionId = ownId } = wait;
  return (
    <Dialog title={titleOf({ title, nodeId })} onClose={close}>
      <Question executionId={executionId} nodeId={nodeId} message={message} />
      <AnswerForm key={`${executionId} ${nodeId}`} asked={{ executionId, nodeId, fields }} onAnswered={close} />
      <div className="row spread answer-foot">
        <span className="hint">
          <Deadline until={until} />
        </span>
        {url && <CopyButton text={url} label="Copy link" name="Copy the approval link" />}
      </div>
    </Dialog>
  );
}
