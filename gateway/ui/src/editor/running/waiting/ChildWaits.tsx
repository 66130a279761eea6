import type { Waiting } from "../../../api/approvals";
import { isParent } from "../../../children/children";
import { isOfRun, openWaits, type RunState } from "../../../playground/runState";
import { useStore } from "../../document/store";
import { useRunning } from "../runs";
import { NodeWait } from "./NodeWait";

/** Approvals of the children of a node. A wait names its child and not its node, so that several open nodes tell none. */
function approvalsUnder(id: string, run: RunState | null): Waiting[] {
  if (!run?.waits?.length) return [];
  const open = run.nodes.filter((node) => isParent(node) && (node.status === "running" || node.status === "waiting"));
  if (open.length !== 1 || open[0]?.id !== id) return [];
  return openWaits(run).filter((wait) => wait.kind === "approval" && !isOfRun(wait, run));
}

/** The approvals under a node that has children, in its strip: a single one is answered there. */
export function ChildWaits({ id }: { id: string }) {
  const store = useStore();
  const [first, ...others] = approvalsUnder(id, useRunning(({ run }) => run));
  if (!first) return null;
  if (others.length === 0) return <NodeWait wait={first} />;
  return (
    <div className="node-wait">
      <button
        type="button"
        className="as-link node-asks"
        tabIndex={-1}
        onClick={(event) => {
          event.stopPropagation();
          store.set({ panel: "run" });
        }}
      >
        {others.length + 1} wait for an answer
      </button>
    </div>
  );
}
