import { useEffect } from "react";
import { credits, duration } from "../../components/Ago";
import { openWaits, type RunState } from "../../playground/runState";
import { useStore } from "../document/store";
import { RunComparison } from "./values/RunComparison";
import { useRunning, useRuns } from "./runs";

/** Parts of runs outside of panels: words for screen readers, the shortcut, the way to a failure. */
export function Running() {
  const runs = useRuns();
  const isSaving = useRunning((running) => running.isSaving);
  const run = useRunning((running) => running.run);
  useEffect(() => void runs.find().catch(() => {}), [runs]);
  useRunKey();
  return (
    <>
      <p className="hidden-visually" role="status" aria-label="Run">
        {isSaving ? "The draft is saved and run." : run && announcementOf(run)}
      </p>
      <RunComparison />
    </>
  );
}

/** The run in a sentence, for those who do not see the canvas. */
function announcementOf(run: RunState): string {
  const { status, execution, error, nodes } = run;
  if (status === "refused") return `The run was refused: ${error?.message}`;
  if (execution) {
    const { durationMs, creditsCost } = execution;
    const figures = `${durationMs === null ? "" : ` after ${duration(durationMs)}`}, ${credits(creditsCost)}`;
    if (!execution.error) return `The run is ${status}${figures}.`;
    const { nodeId, message } = execution.error;
    return `The run has failed${nodeId ? ` at ${nodeId}` : ""}${figures}: ${message}`;
  }
  const failed = nodes.findLast((node) => node.status === "failed");
  if (failed) return `The run goes on; ${failed.id} has failed: ${failed.error?.message ?? ""}`;
  const asked = openWaits(run).find(({ kind }) => kind === "approval");
  if (asked) return `The run waits for an answer at ${asked.nodeId}${asked.title ? `: ${asked.title}` : ""}`;
  return status === "cancel_requested" ? "The run is being cancelled." : "The run has started.";
}

/** Control and Enter run the draft, from wherever the focus is. */
function useRunKey(): void {
  const store = useStore();
  const runs = useRuns();
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
      event.preventDefault();
      store.set({ panel: "run" });
      void runs.start();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [store, runs]);
}
