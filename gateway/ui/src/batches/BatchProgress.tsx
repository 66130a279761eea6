import { type BatchCounts, endedOf, type ItemStatus, sizeOf } from "../api/batches";

/** Kinds of items in the bar, from the left; the room that is left stands for queued ones. */
const PARTS: ItemStatus[] = ["completed", "failed", "cancelled", "processing"];

/** The share of items that ended, by how they ended. */
export function BatchProgress({ counts, label }: { counts: BatchCounts; label: string }) {
  const size = sizeOf(counts);
  return (
    <div
      className="batch-progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={size}
      aria-valuenow={endedOf(counts)}
      aria-valuetext={progressInWords(counts)}
    >
      {PARTS.filter((part) => counts[part] > 0).map((part) => (
        <span key={part} className={part} style={{ width: `${(counts[part] / size) * 100}%` }} />
      ))}
    </div>
  );
}

export function progressInWords(counts: BatchCounts): string {
  const ended = `${endedOf(counts).toLocaleString("en")} of ${sizeOf(counts).toLocaleString("en")} ended`;
  return counts.failed ? `${ended}, ${counts.failed.toLocaleString("en")} failed` : ended;
}
