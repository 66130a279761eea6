import { useState } from "react";
import { Button } from "../../components/Button";
import { toast } from "../../components/Toast";
import { useDocument } from "../document/store";
import { type Pins, pinsOf } from "../running/values/pins";
import { pinsFrom } from "./fromRun";

interface Props {
  pinned: Pins;
  /** Id of the execution that the test is made of; empty for none. */
  source: string;
  /** Nodes of that execution that cost something or called somebody. */
  pinnable: string[];
  onChange: (pinned: Pins) => void;
}

/** Nodes that do not run in the test, since they give kept outputs. */
export function PinFields({ pinned, source, pinnable, onChange }: Props) {
  const onCanvas = pinsOf(useDocument());
  const [isBusy, setBusy] = useState(false);
  const names = Object.keys(pinned);
  const open = pinnable.filter((id) => !(id in pinned));
  const canvas = Object.keys(onCanvas).filter((id) => JSON.stringify(onCanvas[id]) !== JSON.stringify(pinned[id]));
  const take = async (): Promise<void> => {
    setBusy(true);
    try {
      onChange({ ...pinned, ...(await pinsFrom(source, open)) });
    } catch (error) {
      toast((error as Error).message);
    }
    setBusy(false);
  };
  return (
    <section className="stack tight" aria-label="Pinned outputs">
      <h4>Pinned outputs</h4>
      <p className="hint">{names.length === 0 ? "All nodes run, and are charged. A node with pinned outputs does not run and costs nothing." : "These nodes do not run in the test; they give the outputs that are kept with it."}</p>
      {names.length > 0 && (
        <ul className="pin-list">
          {names.map((id) => (
            <li key={id} className="row spread">
              <span>
                <code>{id}</code> <span className="muted small">{Object.keys(pinned[id] ?? {}).join(", ")}</span>
              </span>
              <Button look="quiet" isCompact aria-label={`Unpin ${id}`} onClick={() => onChange(Object.fromEntries(Object.entries(pinned).filter(([each]) => each !== id)))}>
                Unpin
              </Button>
            </li>
          ))}
        </ul>
      )}
      <div className="row">
        {source && open.length > 0 && (
          <Button isCompact disabled={isBusy} onClick={() => void take()}>
            Pin {open.join(", ")} as in the run
          </Button>
        )}
        {canvas.length > 0 && (
          <Button isCompact onClick={() => onChange({ ...pinned, ...onCanvas })}>
            Take the pins of the canvas ({canvas.join(", ")})
          </Button>
        )}
      </div>
    </section>
  );
}
