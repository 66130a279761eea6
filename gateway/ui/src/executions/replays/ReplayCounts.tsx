import { endedOf, type Replay, type ReplayVerdict, VERDICTS } from "../../api/replays";

const LOOKS: Record<ReplayVerdict, string> = { same: "good", different: "warn", failed: "bad", unmatched: "" };

/** The verdict on one run, as the API spells it. */
export function ReplayBadge({ verdict }: { verdict: ReplayVerdict }) {
  return <span className={`badge status ${LOOKS[verdict]}`}>{verdict}</span>;
}

/** The counts of a replay in words, without those that are zero. */
export function countsInWords({ counts }: Pick<Replay, "counts">): string {
  const found = VERDICTS.filter((each) => counts[each] > 0).map((each) => `${counts[each].toLocaleString("en")} ${each}`);
  return found.join(", ") || "nothing compared so far";
}

/** One bar whose parts are the verdicts. */
export function ReplayBar({ replay, label }: { replay: Replay; label: string }) {
  const { counts, total } = replay;
  const words = `${endedOf(replay)} of ${total} compared: ${countsInWords(replay)}`;
  return (
    <div className="replay-bar" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={total} aria-valuenow={endedOf(replay)} aria-valuetext={words}>
      {VERDICTS.filter((each) => counts[each] > 0).map((each) => (
        <span key={each} className={each} style={{ width: `${(counts[each] / total) * 100}%` }} />
      ))}
    </div>
  );
}
