import type { Waiting } from "../../../api/approvals";
import { Deadline, Until } from "../../../approvals/TimeLeft";
import { titleOf } from "../../../approvals/words";
import { Button } from "../../../components/Button";
import { CopyButton } from "../../../components/CopyButton";
import { isOfRun, openWaits, type RunState } from "../../../playground/runState";
import { useReveal } from "../reveal";
import { useRuns } from "../runs";
import { StatusIcon } from "../status";
import "./waiting.css";

/** The waits of a run, of its children too: those that ask somebody first. */
export function OpenWaits({ run }: { run: RunState }) {
  const waits = openWaits(run);
  const asked = waits.filter((wait) => wait.kind === "approval");
  const others = waits.filter((wait) => wait.kind !== "approval");
  if (waits.length === 0) return null;
  return (
    <ul className="open-waits" aria-label="Waits">
      {[...asked, ...others].map((wait) => (
        <li key={`${wait.executionId} ${wait.nodeId}`} className={wait.kind}>
          {wait.kind === "approval" ? <Asked wait={wait} run={run} /> : <Delayed wait={wait} run={run} />}
        </li>
      ))}
    </ul>
  );
}

interface Props {
  wait: Waiting;
  run: RunState;
}

function Asked({ wait, run }: Props) {
  const runs = useRuns();
  const { nodeId, title = "", until, url } = wait;
  return (
    <>
      <p className="open-wait-title">
        <StatusIcon status="asks" />
        <strong>{titleOf({ title, nodeId })}</strong>
      </p>
      <p className="hint">
        <Place wait={wait} run={run} /> waits for an answer <Deadline until={until} />
      </p>
      <div className="row">
        <Button isCompact look="primary" onClick={() => runs.set({ answered: wait })}>
          Answer
        </Button>
        {url && <CopyButton text={url} label="Copy link" name="Copy the approval link" />}
      </div>
    </>
  );
}

function Delayed({ wait, run }: Props) {
  return (
    <p className="open-wait-title">
      <StatusIcon status="waiting" />
      <span>
        <Place wait={wait} run={run} /> goes on <Until until={wait.until} />
      </span>
    </p>
  );
}

/** The node that waits; one of a child leads to the page of that. */
function Place({ wait, run }: Props) {
  const reveal = useReveal();
  if (isOfRun(wait, run)) {
    return (
      <button type="button" className="as-link" onClick={() => reveal(wait.nodeId)}>
        {wait.nodeId}
      </button>
    );
  }
  return (
    <a href={`/app/executions/${wait.executionId}`} target="_blank" rel="noreferrer">
      {wait.nodeId} <span aria-hidden="true">↗</span>
    </a>
  );
}
