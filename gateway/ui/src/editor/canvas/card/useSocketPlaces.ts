/** Measuring of sockets by React Flow, after a node has others. */

import { useUpdateNodeInternals } from "@xyflow/react";
import { useEffect, useRef } from "react";
import type { Sockets } from "../../catalogue/catalogue";

/** Nodes that changed since the last frame: updated together, since each update goes through all nodes. */
const changed = new Set<string>();

export function useSocketPlaces(id: string, { inputs, outputs }: Sockets): void {
  const update = useUpdateNodeInternals();
  const names = [...inputs, ...outputs].map((socket) => socket.name).join(" ");
  const drawnNames = useRef(names);
  useEffect(() => {
    if (drawnNames.current === names) return;
    drawnNames.current = names;
    if (changed.size === 0) {
      requestAnimationFrame(() => {
        update([...changed]);
        changed.clear();
      });
    }
    changed.add(id);
  }, [id, names, update]);
}
