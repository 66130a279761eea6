import { useReactFlow } from "@xyflow/react";
import { useCallback } from "react";
import { useStore } from "../document/store";

/** Lead to a node: move the canvas so that it is in sight, choose it, and show its settings. */
export function useReveal(): (id: string, field?: string | null) => void {
  const store = useStore();
  const flow = useReactFlow();
  return useCallback(
    (id, field = null) => {
      store.show(id, field);
      void flow.fitView({ nodes: [{ id }], maxZoom: Math.max(1, flow.getZoom()), padding: 0.4, duration: 200 });
    },
    [store, flow],
  );
}
