const LOOKS: Record<string, string> = {
  completed: "good",
  delivered: "good",
  failed: "bad",
  processing: "active",
  running: "active",
  retrying: "warn",
  waiting: "warn",
  pending: "active",
  cancel_requested: "warn",
  cancelled: "warn",
};

export function StatusBadge({ status }: { status: string }) {
  return <span className={`badge status ${LOOKS[status] ?? ""}`}>{status.replace("_", " ")}</span>;
}
