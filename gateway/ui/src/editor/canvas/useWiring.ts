/** Wires drawn with the pointer. */

import type { Connection, FinalConnectionState, OnConnectStartParams } from "@xyflow/react";
import { type RefObject, useCallback, useMemo } from "react";
import { toast } from "../../components/Toast";
import { bestFit, type Catalogue, wirableOutputs, useCatalogue } from "../catalogue/catalogue";
import type { Point } from "../document/document";
import { all, connect, remove } from "../document/edits";
import { type EditorStore, useStore } from "../document/store";
import { announce } from "./announce";
import type { LooseWire } from "./choices";
import { findWire, type End, refusal, socketsById } from "./connecting";
import type { FlowEdge } from "./flow";

/** Handlers of React Flow; `onLoose` gets a wire that was dropped on empty canvas. */
export function useWiring(region: RefObject<HTMLElement | null>, onLoose: (wire: LooseWire, at: Point) => void) {
  const store = useStore();
  const catalogue = useCatalogue();
  const isValidConnection = useCallback(
    (connection: Connection | FlowEdge) => refusal(store, catalogue, connection) === null,
    [store, catalogue],
  );
  const onConnect = useCallback((connection: Connection) => addWire(store, catalogue, connection), [store, catalogue]);
  const onReconnect = useCallback(
    (former: FlowEdge, connection: Connection) => addWire(store, catalogue, connection, former.id),
    [store, catalogue],
  );
  const onConnectStart = useCallback(
    (_: unknown, { nodeId, handleId, handleType }: OnConnectStartParams) => {
      const sockets = socketsById(store, catalogue, nodeId ?? "");
      const socket = [...(sockets?.inputs ?? []), ...(sockets?.outputs ?? [])].find((each) => each.name === handleId);
      // Style sheets light up the sockets that fit, so that no node is drawn again.
      if (socket) region.current?.setAttribute("data-wiring", `${handleType} ${socket.type}`);
    },
    [store, catalogue, region],
  );
  const onConnectEnd = useCallback(
    (event: MouseEvent | TouchEvent, end: FinalConnectionState) => {
      region.current?.removeAttribute("data-wiring");
      if (end.isValid || !end.fromHandle) return;
      if (end.toHandle) {
        const connection = endsOf(end.fromHandle, end.toHandle);
        const reason = refusal(store, catalogue, connection) ?? "These two sockets cannot be wired.";
        announce(reason);
        toast(reason);
        return;
      }
      const loose = looseWire(store, catalogue, end.fromHandle);
      const point = "changedTouches" in event ? event.changedTouches[0] : event;
      if (!loose || !point) return;
      const over = document.elementFromPoint(point.clientX, point.clientY);
      const node = over?.closest(".react-flow__node")?.getAttribute("data-id");
      if (node && node !== loose.node) wireToNode(store, catalogue, loose, node);
      else if (over?.closest(".react-flow__pane") && !node) {
        const at = { x: point.clientX, y: point.clientY };
        // A popover that opened now would be closed by the end of this click beside it.
        setTimeout(() => onLoose(loose, at));
      }
    },
    [store, catalogue, region, onLoose],
  );
  return useMemo(
    () => ({ isValidConnection, onConnect, onReconnect, onConnectStart, onConnectEnd }),
    [isValidConnection, onConnect, onReconnect, onConnectStart, onConnectEnd],
  );
}

interface HandleEnd {
  nodeId: string;
  id?: string | null;
  type: "source" | "target";
}

function endsOf(from: HandleEnd, to: HandleEnd): End {
  const [source, target] = from.type === "source" ? [from, to] : [to, from];
  return {
    source: source.nodeId,
    target: target.nodeId,
    sourceHandle: source.id ?? null,
    targetHandle: target.id ?? null,
  };
}

function looseWire(store: EditorStore, catalogue: Catalogue | undefined, from: HandleEnd): LooseWire | null {
  const sockets = socketsById(store, catalogue, from.nodeId);
  const socket = sockets?.[from.type === "source" ? "outputs" : "inputs"].find((each) => each.name === from.id);
  return socket ? { node: from.nodeId, side: from.type, socket } : null;
}

/** Add a wire, in place of another one if it is an end of it that moved. */
export function addWire(store: EditorStore, catalogue: Catalogue | undefined, connection: End, former?: string): void {
  const fitting = findWire(store, catalogue, connection);
  if (!fitting) return;
  const { takesMany, ...wire } = fitting;
  store.edit(all(...(former ? [remove([], [former])] : []), connect(wire, takesMany)));
  announce(`${wire.source} wired to ${wire.targetHandle} of ${wire.target}`);
}

/** Wire to the best of the free sockets of a node. */
function wireToNode(store: EditorStore, catalogue: Catalogue | undefined, loose: LooseWire, node: string): void {
  const isForward = loose.side === "source";
  const other = store.document.nodes.find((each) => each.id === node);
  const { inputs = [], outputs = [] } = socketsById(store, catalogue, node) ?? {};
  const taken = new Set(store.document.edges.filter((edge) => edge.target === node).map((edge) => edge.targetHandle));
  const free = isForward
    ? inputs.filter((each) => each.many || !taken.has(each.name))
    : wirableOutputs(other ?? { data: {} }, outputs);
  const socket = bestFit(free, loose.socket);
  if (!socket) {
    toast(`No free ${isForward ? "input" : "output"} of ‘${node}’ fits ‘${loose.socket.name}’ (${loose.socket.type}).`);
    return;
  }
  const [from, to] = [
    { nodeId: loose.node, id: loose.socket.name, type: loose.side },
    { nodeId: node, id: socket.name, type: isForward ? ("target" as const) : ("source" as const) },
  ];
  const connection = endsOf(from, to);
  const reason = refusal(store, catalogue, connection);
  if (reason) toast(reason);
  else addWire(store, catalogue, connection);
}
