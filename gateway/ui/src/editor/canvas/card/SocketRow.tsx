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
