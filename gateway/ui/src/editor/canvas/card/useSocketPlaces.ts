/** Tells React Flow that the sockets of a node are elsewhere. */

import { useUpdateNodeInternals } from "@xyflow/react";
import { useEffect, useRef } from "react";
import type { Sockets } from "../../catalogue/catalogue";

/** Nodes that changed since the last frame: told together, as each telling goes through all nodes. */
const changed = new Set<string>();

export function useSocketPlaces(id: string, { inputs, outputs }: Sockets): void {
  const update = useUpdateNodeInternals();
  const names = [...inputs, ...outputs].map((socket) => socket.name).join(" ");
  const told = useRef(names);
  useEffect(() => {
    if (told.current === names) return;
    told.current = names;
    if (changed.size === 0) {
      requestAnimationFrame(() => {
        update([...changed]);
        changed.clear();
      });
    }
    changed.add(id);
  }, [id, names, update]);
}
