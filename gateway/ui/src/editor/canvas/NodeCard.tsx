import { Handle, type NodeProps, Position } from "@xyflow/react";
import { memo } from "react";
import { type Socket, socketsOf, useCatalogue } from "../catalogue/catalogue";
import { useEditor } from "../document/store";
import type { FlowNode } from "./flow";

/** A node as a card: its type, its name, its sockets. */
export const NodeCard = memo(function NodeCard({ id, data: { node } }: NodeProps<FlowNode>) {
  const catalogue = useCatalogue();
  const type = catalogue?.get(node.type);
  const sockets = useEditor((state) => socketsOf(node, state.check.sockets, catalogue));
  const problems = useEditor((state) => state.check.problems.filter((each) => each.nodeId === id).length);
  const label = type?.label ?? node.type;
  return (
    <article className="node" data-id={id} data-problems={problems || undefined} aria-label={`${label} ${id}`}>
      <header>
        <span className="node-type">{label}</span>
        <span className="node-name">{id}</span>
        {problems > 0 && (
          <span className="node-problems" title={problems === 1 ? "1 problem" : `${problems} problems`}>
            {problems}
          </span>
        )}
      </header>
      <div className="sockets">
        <ul>
          {sockets.inputs.map((socket) => (
            <SocketRow key={socket.name} socket={socket} side="target" />
          ))}
        </ul>
        <ul>
          {sockets.outputs.map((socket) => (
            <SocketRow key={socket.name} socket={socket} side="source" />
          ))}
        </ul>
      </div>
    </article>
  );
});

function SocketRow({ socket, side }: { socket: Socket; side: "source" | "target" }) {
  const words = [side === "source" ? "output" : "input", socket.name, socket.type, socket.required && "required"];
  return (
    <li>
      <Handle
        type={side}
        id={socket.name}
        position={side === "source" ? Position.Right : Position.Left}
        className={`socket ${socket.type}${socket.required ? " required" : ""}`}
        data-socket={socket.name}
        data-type={socket.type}
        role="button"
        aria-label={words.filter(Boolean).join(", ")}
      />
      {socket.name}
    </li>
  );
}
