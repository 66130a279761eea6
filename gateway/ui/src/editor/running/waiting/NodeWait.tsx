import type { Waiting } from "../../../api/approvals";
import { TimeLeft } from "../../../approvals/TimeLeft";
import { useClock } from "../../../components/Ago";
import { Button } from "../../../components/Button";
import { CopyButton } from "../../../components/CopyButton";
import { useRuns } from "../runs";
import { Countdown, SECOND_MS } from "./Countdown";

/** A wait in the strip of its node's card: the way to answer and the link, or the progress of a delay. */
export function NodeWait({ wait }: { wait: Waiting }) {
  const runs = useRuns();
  if (wait.kind !== "approval") return <Delay wait={wait} />;
  return (
    // A press here answers, and does not choose the node.
    // biome-ignore lint/a11y/useKeyWithClickEvents: the buttons inside take keys
    <div className="node-wait nodrag" onClick={(event) => event.stopPropagation()}>
      <Button isCompact look="primary" aria-label={`Answer ${wait.nodeId}`} onClick={() => runs.set({ answered: wait })}>
        Answer
      </Button>
      {wait.url && <CopyButton text={wait.url} label="Copy link" name={`Copy the approval link of ${wait.nodeId}`} />}
    </div>
  );
}

function Delay({ wait: { nodeId, since, until } }: { wait: Waiting }) {
  const [begin, end] = [Date.parse(since), Date.parse(until)];
  const passed = Math.min(Math.max(0, useClock(SECOND_MS) - begin), end - begin);
  return (
    <>
      <progress value={passed} max={Math.max(1, end - begin)} aria-label={`Progress of ${nodeId}`} />
      <p className="node-text">until {inWords(end)}</p>
    </>
  );
}

const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat("en", { weekday: "short", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** A moment of today as a time alone. */
function inWords(at: number): string {
  return new Date(at).toDateString() === new Date().toDateString() ? clock.format(at) : day.format(at);
}

/** The time that a wait has left, for the line above. */
export function WaitFigures({ wait: { kind, until } }: { wait: Waiting }) {
  return (
    <span className="figures muted">
      {kind === "approval" ? (
        <TimeLeft until={until} />
      ) : (
        <>
          <Countdown until={until} /> left
        </>
      )}
    </span>
  );
}
