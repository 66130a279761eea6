import { useNodesInitialized } from "@xyflow/react";
import { useEffect, useRef } from "react";
import { useParameter } from "../../shell/router";
import { useStore } from "../document/store";
import { useReveal } from "../running/reveal";

/** Leads to the node that the address asks for, once the canvas is drawn. */
export function Asked() {
  const isDrawn = useNodesInitialized();
  const reveal = useReveal();
  const store = useStore();
  const [asked] = useParameter("node", "");
  const isDone = useRef(false);
  useEffect(() => {
    if (!isDrawn || isDone.current) return;
    isDone.current = true;
    if (store.document.nodes.some((node) => node.id === asked)) reveal(asked);
  }, [isDrawn, asked, reveal, store]);
  return null;
}
