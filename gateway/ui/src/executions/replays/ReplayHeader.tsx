import { call } from "../../api/client";
import { againstInWords, endedOf, type ReplayDetails, type ReplayedRun, REPLAYS, replayPath } from "../../api/replays";
import { invalidate } from "../../api/resource";
import { Ago, credits, duration, Moment, timeBetween } from "../../components/Ago";
import { Button } from "../../components/Button";
import { CopyButton } from "../../components/CopyButton";
import { Fact } from "../../components/Fact";
import { StatusBadge } from "../../components/StatusBadge";
import { toast } from "../../components/Toast";
import { Link } from "../../shell/router";
import { countsInWords, ReplayBar } from "./ReplayCounts";

/** The replay's name, its progress, cost and time beside those of the former runs, and the actions on it. */
export function ReplayHeader({ replay }: { replay: ReplayDetails }) {
  const { replayId, workflowSlug: slug, against, status, total } = replay;
  return (
    <>
      <div className="row spread execution-head">
        <div>
          <h1>
            {slug}, {total.toLocaleString("en")} {total === 1 ? "run" : "runs"} against {againstInWords(against)} <StatusBadge status={status} />
          </h1>
          <p className="row">
            <code>{replayId}</code>
            <CopyButton text={replayId} name="Copy the id" />
          </p>
        </div>
        <div className="row">
          {status === "processing" && (
            <Button isDanger onClick={() => void cancel(replayId)}>
              Cancel replay
            </Button>
          )}
          <Link className="button" href={`/app/editor/${slug}?panel=tests`}>
            Open in the editor
          </Link>
        </div>
      </div>
      <div className="replay-progress">
        <ReplayBar replay={replay} label="Verdicts" />
        <p className="muted small figures" role="status">
          {status === "processing" && `${endedOf(replay)} of ${total} compared: `}
          {countsInWords(replay)}
        </p>
        {replay.calls === "recorded" && replay.counts.unmatched > 0 && (
          <p className="hint">Unmatched runs came to a model or a call that differs from the recorded one. To compare them, replay a few with live calls.</p>
        )}
      </div>
      <Facts replay={replay} />
    </>
  );
}

async function cancel(id: string): Promise<void> {
  try {
    await call("POST", `${replayPath(id)}/cancel`);
    toast("The replay stops");
  } catch (error) {
    toast((error as Error).message);
  }
  invalidate(REPLAYS);
}

function Facts({ replay }: { replay: ReplayDetails }) {
  const { workflowSlug: slug, calls, createdAt, completedAt, rows } = replay;
  const pairs = rows.filter((row) => row.before && row.after && row.verdict);
  const before = pairs.map((row) => row.before as ReplayedRun);
  const after = pairs.map((row) => row.after as ReplayedRun);
  return (
    <dl className="execution-facts">
      <Fact name="Workflow">
        <Link href={`/app/editor/${slug}`}>{slug}</Link>
      </Fact>
      <Fact name="Calls">{calls === "recorded" ? "Recorded outputs" : "Live"}</Fact>
      <Fact name="Cost">
        {credits(sum(after))} <span className="muted">instead of {credits(sum(before))}</span>
      </Fact>
      {pairs.length > 0 && (
        <Fact name="Time of a run">
          {duration(median(after))} <span className="muted">instead of {duration(median(before))} (median)</span>
        </Fact>
      )}
      <Fact name="Created">
        <Moment at={createdAt} /> <span className="muted">(<Ago at={createdAt} />)</span>
      </Fact>
      {completedAt && (
        <Fact name="Ended">
          <Moment at={completedAt} /> <span className="muted">after {timeBetween(createdAt, completedAt)}</span>
        </Fact>
      )}
      <Fact name="Runs">
        <Link href={`/app/executions?source=replay&workflowSlug=${slug}`}>Executions of replays</Link>
      </Fact>
    </dl>
  );
}

function sum(runs: readonly ReplayedRun[]): number {
  return runs.reduce((total, { creditsCost }) => total + creditsCost, 0);
}

function median(runs: readonly ReplayedRun[]): number {
  const times = runs.map(({ durationMs }) => durationMs ?? 0).sort((one, other) => one - other);
  return times[Math.floor(times.length / 2)] ?? 0;
}
