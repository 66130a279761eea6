import { useId, useState } from "react";
import { useDocument, useStore } from "../../document/store";
import { pin, pinsOf } from "./pins";

/** The pinned outputs of a node, each of which can be edited. */
export function PinnedOutputs({ id }: { id: string }) {
  const store = useStore();
  const outputs = pinsOf(useDocument())[id] ?? {};
  return (
    <div className="pinned-outputs">
      <p className="hint">Pinned: runs of the draft take these outputs, and the node does not run. Callers never get them.</p>
      {Object.entries(outputs).map(([socket, value]) => (
        <PinnedValue
          key={socket}
          socket={socket}
          value={value}
          onChange={(to) => store.edit(pin({ [id]: { ...outputs, [socket]: to } }), `pin ${id} ${socket}`)}
        />
      ))}
    </div>
  );
}

interface Props {
  socket: string;
  value: unknown;
  onChange: (value: unknown) => void;
}

/** A text is edited as it is, any other value as JSON. */
function PinnedValue({ socket, value, onChange }: Props) {
  const id = useId();
  const isText = typeof value === "string";
  const [json, setJson] = useState(() => (isText ? "" : JSON.stringify(value, null, 2)));
  const [fault, setFault] = useState("");
  const change = (text: string): void => {
    if (isText) return onChange(text);
    setJson(text);
    try {
      onChange(JSON.parse(text));
      setFault("");
    } catch (error) {
      setFault(`This is not JSON: ${(error as Error).message}`);
    }
  };
  return (
    <div className="field">
      <label htmlFor={id}>Pinned {socket}</label>
      <textarea
        id={id}
        className={isText ? "input" : "input mono"}
        rows={4}
        spellCheck={isText}
        value={isText ? value : json}
        aria-invalid={Boolean(fault) || undefined}
        aria-describedby={fault ? `${id}-fault` : undefined}
        onChange={(event) => change(event.target.value)}
      />
      {fault && (
        <p className="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
    </div>
  );
}
