import type { ExecutionRow } from "../api/types";
import { StatusBadge } from "../components/StatusBadge";

/** The status of a run in a list; one that asks a person says so. */
export function RunBadge({ status, isAsking }: Pick<ExecutionRow, "status"> & { isAsking: boolean }) {
  if (isAsking && status === "processing") return <span className="badge warn">Needs an answer</span>;
  return <StatusBadge status={status} />;
}
