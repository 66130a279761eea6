import type { OccurrenceStatus } from "../api/triggers";

const LOOKS: Record<OccurrenceStatus, string> = { started: "good", skipped: "", failed: "bad", missed: "warn" };

/** The status of an occurrence, as the API spells it. */
export function OccurrenceBadge({ status }: { status: OccurrenceStatus }) {
  return <span className={`badge status ${LOOKS[status]}`}>{status}</span>;
}
