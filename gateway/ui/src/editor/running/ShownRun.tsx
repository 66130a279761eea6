import { useReactFlow } from "@xyflow/react";
import { useEffect } from "react";
import type { RunState } from "../../playground/runState";
import { useStore } from "../document/store";
import { useRunning } from "./runs";
import { NodeValuesDialog } from "./values/NodeValuesDialog";
import { AnswerDialog } from "./waiting/AnswerDialog";

/** The run that the open graph shows: the values of its nodes, and the way to its failure. */
export function ShownRun() {
  useWayToFailure(useRunning((running) => running.run));
  return (
    <>
      <NodeValuesDialog />
      <AnswerDialog />
    </>
  );
}

/** Choose the node at which a run has failed, and move the canvas to it if it is out of sight. */
function useWayToFailure(run: RunState | null): void {
  const store = useStore();
  const flow = useReactFlow();
  const nodeId = run?.execution?.error?.nodeId;
  useEffect(() => {
    if (!nodeId || !store.document.nodes.some((node) => node.id === nodeId)) return;
    store.select([nodeId]);
    void flow.fitView({ nodes: [{ id: nodeId }], maxZoom: Math.max(1, flow.getZoom()), padding: 0.4, duration: 200 });
  }, [nodeId, store, flow]);
}
