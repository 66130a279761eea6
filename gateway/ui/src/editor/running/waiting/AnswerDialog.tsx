import { AnswerForm } from "../../../approvals/AnswerForm";
import { Button } from "../../../components/Button";
import { CopyButton } from "../../../components/CopyButton";
import { Dialog } from "../../../components/Dialog";
import { isOfRun, openWaits } from "../../../playground/runState";
import { useRunning, useRuns } from "../runs";
import { TimeLeft } from "./TimeLeft";

/** An approval of the run that is shown, to be answered here. */
export function AnswerDialog() {
  const runs = useRuns();
  const wait = useRunning((running) => running.answered);
  const run = useRunning((running) => running.run);
  if (!wait || !run?.executionId) return null;
  const close = (): void => runs.set({ answered: null });
  const { nodeId, title, message, fields, until, url } = wait;
  const executionId = wait.executionId ?? run.executionId;
  const isOpen = openWaits(run).some((each) => each.nodeId === nodeId && (each.executionId ?? run.executionId) === executionId);
  return (
    <Dialog title={title || "Approval"} onClose={close}>
      {message && <p className="asked-message">{message}</p>}
      <AnswerForm key={`${executionId} ${nodeId}`} asked={{ executionId, nodeId, fields: fields ?? [] }} onAnswered={close} />
      <div className="row spread answer-foot">
        <span className="hint">
          {isOpen ? (
            <>
              <TimeLeft until={until} /> left to answer
            </>
          ) : (
            "Nobody is asked any more."
          )}
        </span>
        <span className="row">
          {isOfRun(wait, run) && (
            <Button isCompact look="quiet" onClick={() => runs.set({ answered: null, inspected: nodeId })}>
              Values
            </Button>
          )}
          {url && <CopyButton text={url} label="Copy link" name="Copy the approval link" />}
        </span>
      </div>
    </Dialog>
  );
}
