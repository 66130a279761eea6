/** Edits of wires at sockets that are named in settings. */

import type { GraphEdge } from "../../api/types";
import type { Edit } from "../document/edits";

type Side = "inputs" | "outputs";

function isAt(edge: GraphEdge, id: string, side: Side, socket: string): boolean {
  return side === "inputs"
    ? edge.target === id && edge.targetHandle === socket
    : edge.source === id && edge.sourceHandle === socket;
}

/** Move the wires of a socket to its new name. */
export function renameSocket(id: string, side: Side, from: string, to: string): Edit {
  return (document) => {
    if (from === to || !document.edges.some((edge) => isAt(edge, id, side, from))) return document;
    const renamed = side === "inputs" ? { targetHandle: to } : { sourceHandle: to };
    return {
      ...document,
      edges: document.edges.map((edge) => (isAt(edge, id, side, from) ? { ...edge, ...renamed } : edge)),
    };
  };
}

/** Remove the wires of a socket. */
export function unwire(id: string, side: Side, socket: string): Edit {
  return (document) => {
    const edges = document.edges.filter((edge) => !isAt(edge, id, side, socket));
    return edges.length === document.edges.length ? document : { ...document, edges };
  };
}
