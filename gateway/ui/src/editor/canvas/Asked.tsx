import { useNodesInitialized, useReactFlow } from "@xyflow/react";
import { useEffect, useRef } from "react";
import { useParameter } from "../../shell/router";
import { useStore } from "../document/store";

/** Leads to the node that the address asks for, once the canvas is drawn. */
export function Asked() {
  const isDrawn = useNodesInitialized();
  const flow = useReactFlow();
  const store = useStore();
  const [asked] = useParameter("node", "");
  const isDone = useRef(false);
  useEffect(() => {
    if (!isDrawn || isDone.current) return;
    isDone.current = true;
    if (!store.document.nodes.some((node) => node.id === asked)) return;
    // A setting that is led to stays so.
    const { selection, focusedField } = store.get();
    store.show(asked, selection.has(asked) ? focusedField : null);
    void flow.fitView({ nodes: [{ id: asked }], maxZoom: Math.max(1, flow.getZoom()), padding: 0.4, duration: 200 });
  }, [isDrawn, asked, flow, store]);
  return null;
}
