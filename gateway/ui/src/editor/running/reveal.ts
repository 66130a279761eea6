import { useReactFlow } from "@xyflow/react";
import { useCallback } from "react";
import { storeAt } from "../bodies/bodyStore";
import { openGraph, useOpenPath } from "../bodies/open";
import { useStore } from "../document/store";

type Reveal = (id: string, field?: string | null, path?: readonly string[]) => void;

/** Lead to a node: open its graph, move the canvas so that it is in sight, choose it, and show its settings. */
export function useReveal(): Reveal {
  const store = useStore();
  const opened = JSON.stringify(useOpenPath());
  const flow = useReactFlow();
  return useCallback(
    (id, field = null, path = []) => {
      storeAt(store, path).show(id, field);
      if (JSON.stringify(path) !== opened) openGraph(path, { node: id });
      else void flow.fitView({ nodes: [{ id }], maxZoom: Math.max(1, flow.getZoom()), padding: 0.4, duration: 200 });
    },
    [store, opened, flow],
  );
}
