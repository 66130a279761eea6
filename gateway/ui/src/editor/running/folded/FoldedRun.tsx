import { duration } from "../../../components/Ago";
import { openWaits } from "../../../playground/runState";
import { useEditor, useStore } from "../../document/store";
import { useRunning } from "../runs";
import { StatusIcon, signOf, wordOf } from "../status";

/** The run in a line on the canvas, while its panel is folded away. */
export function FoldedRun() {
  const store = useStore();
  const panel = useEditor((state) => state.panel);
  const run = useRunning((running) => running.run);
  if (!run || panel === "run") return null;
  const ms = run.execution?.durationMs;
  const isAsking = openWaits(run).some(({ kind }) => kind === "approval");
  const status = isAsking ? "asks" : signOf(run.status);
  return (
    <button type="button" className="folded-run" onClick={() => store.set({ panel: "run" })}>
      <StatusIcon status={status} />
      <span>{run.status === "refused" ? "Refused" : wordOf(status)}</span>
      {typeof ms === "number" && <span className="muted figures">{duration(ms)}</span>}
      <span className="folded-run-more">Show the run</span>
    </button>
  );
}
