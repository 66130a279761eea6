import { useEffect } from "react";
import { useResource } from "../../../api/resource";
import type { ExecutionDetail } from "../../../api/types";
import { childName } from "../../../children/children";
import { duration } from "../../../components/Ago";
import { setParameters, useParameter } from "../../../shell/router";
import { ITEM } from "../../bodies/address";
import { useRunning, useRuns } from "../runs";
import { StatusIcon, signOf, wordOf } from "../status";

/** The item whose run is shown on the graph inside of a node, which the address names. */
export function ItemRun() {
  const runs = useRuns();
  const [asked] = useParameter(ITEM, "");
  const { data, error: unread } = useResource<ExecutionDetail>(asked ? `/api/executions/${asked}` : null);
  const run = useRunning((running) => running.run);
  useEffect(() => {
    if (!asked) runs.clear();
    else if (data && runs.get().run?.executionId !== asked) void runs.show(data);
  }, [runs, asked, data]);
  if (!asked || (!data && !unread)) return null;
  if (!data) {
    return (
      <section className="folded-run item-run" aria-label="Item">
        <span className="item-error">{unread?.status === 404 ? "This item is not kept any more." : unread?.message}</span>
        <Clear />
      </section>
    );
  }
  const status = signOf(run?.status ?? data.status);
  const ms = run?.execution?.durationMs ?? data.durationMs;
  const error = run?.execution?.error ?? data.error;
  return (
    <section className="folded-run item-run" aria-label="Item">
      <StatusIcon status={status} />
      <strong>{childName(data)}</strong>
      <span>{wordOf(status)}</span>
      {typeof ms === "number" && <span className="muted figures">{duration(ms)}</span>}
      {error && <span className="item-error">{error.message}</span>}
      <a className="folded-run-more" href={`/app/executions/${asked}`} target="_blank" rel="noreferrer">
        Its page
      </a>
      <Clear />
    </section>
  );
}

function Clear() {
  return (
    <button type="button" className="as-link" onClick={() => setParameters({ [ITEM]: "" })}>
      Clear
    </button>
  );
}
