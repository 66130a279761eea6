import { Handle, Position } from "@xyflow/react";
import { memo } from "react";
import { inWords, type Socket } from "../../catalogue/catalogue";

/** A socket with its name in words. */
export const SocketRow = memo(function SocketRow({ socket, side }: { socket: Socket; side: "source" | "target" }) {
  const { name, type, required, many } = socket;
  const words = [side === "source" ? "output" : "input", name, type, required && "required", many && "takes many wires"];
  const described = words.filter(Boolean).join(", ");
  return (
    <li title={described}>
      <Handle
        type={side}
        id={name}
        position={side === "source" ? Position.Right : Position.Left}
        className={`socket ${type}${required ? " required" : ""}${many ? " many" : ""}`}
        data-socket={name}
        data-type={type}
        role="button"
        aria-label={described}
      />
      <span className="socket-name">{inWords(name)}</span>
      {required && (
        <span className="socket-required" aria-hidden="true">
          *
        </span>
      )}
    </li>
  );
});

/** The output of the error of a node that fails, below the card. */
export const ErrorSocket = memo(function ErrorSocket({ socket: { name, type } }: { socket: Socket }) {
  const described = `output, ${name}, ${type}`;
  return (
    <div className="socket-error" title="The error, if the node fails: code, message, nodeId, attempts">
      <Handle
        type="source"
        id={name}
        position={Position.Bottom}
        className={`socket ${type} error`}
        data-socket={name}
        data-type={type}
        role="button"
        aria-label={described}
      />
      <span className="socket-name">if it fails</span>
    </div>
  );
});
