import { Fragment } from "react";
import { type ReplayDetails, type ReplayRow, type ReplayVerdict, VERDICTS } from "../../api/replays";
import { duration } from "../../components/Ago";
import { StatusBadge } from "../../components/StatusBadge";
import { Link, useParameter } from "../../shell/router";
import { ReplayBadge } from "./ReplayCounts";
import { RowDifference } from "./RowDifference";

const ALL = "all";

/** The rows of a replay, all of them or those of one verdict; each opens to its difference. */
export function ReplayRows({ replay }: { replay: ReplayDetails }) {
  const [wanted, setWanted] = useParameter("verdict", ALL);
  const [opened, setOpened] = useParameter("row", "");
  const verdict = VERDICTS.find((each) => each === wanted);
  const rows = replay.rows.filter((row) => !verdict || row.verdict === verdict);
  return (
    <section className="stack" aria-labelledby="rows">
      <h2 id="rows">Runs</h2>
      <fieldset className="status-filter items-filter">
        <legend className="hidden-visually">Verdict</legend>
        {[ALL, ...VERDICTS].map((each) => (
          <label key={each}>
            <input type="radio" name="verdict" checked={each === (verdict ?? ALL)} onChange={() => setWanted(each)} />
            {each}
            <span className="figures">{(each === ALL ? replay.rows.length : replay.counts[each as ReplayVerdict]).toLocaleString("en")}</span>
          </label>
        ))}
      </fieldset>
      {rows.length === 0 && <p className="muted">No run has this verdict.</p>}
      {rows.length > 0 && (
        <div className="table-frame">
          <table className="stacked replay-rows" aria-label="Runs">
            <thead>
              <tr>
                <th scope="col">Verdict</th>
                <th scope="col">Former run</th>
                <th scope="col">Difference</th>
                <th scope="col" className="end">
                  Credits
                </th>
                <th scope="col" className="end">
                  Time
                </th>
                <th scope="col">Replayed run</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Fragment key={row.executionId}>
                  <Row row={row} isOpen={opened === row.executionId} onToggle={() => setOpened(opened === row.executionId ? "" : row.executionId)} />
                  {opened === row.executionId && (
                    <tr className="replay-difference">
                      <td colSpan={6}>
                        <RowDifference row={row} />
                      </td>
                    </tr>
                  )}
                </Fragment>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

interface RowProps {
  row: ReplayRow;
  isOpen: boolean;
  onToggle: () => void;
}

function Row({ row, isOpen, onToggle }: RowProps) {
  const { executionId, replayExecutionId, verdict, before, after } = row;
  return (
    <tr>
      <td>{verdict ? <ReplayBadge verdict={verdict} /> : <StatusBadge status={row.status} />}</td>
      <th scope="row" data-label="Former run">
        <ExecutionLink id={executionId} name="Former run" />
      </th>
      <td className="replay-words">
        {verdict && (
          <button type="button" className="as-link" aria-expanded={isOpen} aria-label={`Compare ${executionId.slice(0, 8)}`} onClick={onToggle}>
            {inWords(row)}
          </button>
        )}
      </td>
      <td className="end figures small" data-label="Credits">
        {pair(before?.creditsCost, after?.creditsCost, (each) => each.toLocaleString("en"))}
      </td>
      <td className="end figures small" data-label="Time">
        {pair(before?.durationMs, after?.durationMs, duration)}
      </td>
      <td data-label="Replayed run">{replayExecutionId ? <ExecutionLink id={replayExecutionId} name="Replayed run" /> : <span className="muted">–</span>}</td>
    </tr>
  );
}

function ExecutionLink({ id, name }: { id: string; name: string }) {
  return (
    <Link href={`/app/executions/${id}`} aria-label={`${name} ${id.slice(0, 8)}`}>
      <code>{id.slice(0, 8)}</code>
    </Link>
  );
}

function pair(before: number | null | undefined, after: number | null | undefined, words: (value: number) => string): string {
  const [one, other] = [before, after].map((each) => (typeof each === "number" ? words(each) : "–"));
  return one === other ? String(one) : `${one} → ${other}`;
}

/** The difference of a row in a few words. */
function inWords({ verdict, changes, node, error }: ReplayRow): string {
  if (verdict === "same") return "No difference";
  if (verdict === "unmatched") return node?.id ? `${node.id}: ${node.reason ?? "nothing was recorded"}` : "A node had no recorded outcome";
  const [first, ...others] = changes;
  if (!first) return error?.message ?? "The run failed";
  return others.length > 0 ? `${first.path} and ${others.length} more` : first.path;
}
