import { Deadline, Until } from "../approvals/TimeLeft";
import { addressOf, titleOf } from "../approvals/words";
import { Link } from "../shell/router";
import { openWaits, type RunState } from "./runState";

/** The persons and times that a run waits for; an approval leads to the inbox. */
export function Waits({ run }: { run: RunState }) {
  const waits = openWaits(run);
  if (waits.length === 0 || !run.executionId) return null;
  return (
    <ul className="stack" aria-label="Waits">
      {waits.map(({ nodeId, kind, until, title, executionId = run.executionId as string }) => (
        <li key={`${executionId}/${nodeId}`} className="note row spread">
          <div>
            <p>{kind === "approval" ? titleOf({ title: title ?? "", nodeId }) : `Delay ${nodeId}`}</p>
            <p className="small muted">
              {kind === "approval" ? (
                <>
                  Waits for an answer, <Deadline until={until} />
                </>
              ) : (
                <>
                  Goes on <Until until={until} />
                </>
              )}
            </p>
          </div>
          {kind === "approval" && (
            <Link className="button compact" href={addressOf({ executionId, nodeId })}>
              Answer
            </Link>
          )}
        </li>
      ))}
    </ul>
  );
}
