import { useEffect, useState } from "react";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { useCatalogue } from "../catalogue/catalogue";
import "../difference/difference.css";
import { fieldLabel, memberLabel, nodeLabel } from "../difference/words";
import { Value } from "../difference/Value";
import type { Conflict } from "../document/merge";
import { useDocument, useEditor } from "../document/store";
import { useSaver } from "./context";

/** The dialog in which people choose between their value and that of others. */
export function Conflicts() {
  const saver = useSaver();
  const conflicts = useEditor((state) => state.saving.conflicts);
  const [isPutOff, setPutOff] = useState(false);
  useEffect(() => {
    setPutOff(false);
  }, [conflicts]);
  if (conflicts.length === 0) return null;
  if (isPutOff) {
    return (
      <div className="conflict-note" role="alert">
        <span>Your changes are not saved until you choose.</span>
        <Button look="primary" isCompact onClick={() => setPutOff(false)}>
          Choose
        </Button>
      </div>
    );
  }
  return (
    <Dialog title="Conflict: somebody else changed the same" onClose={() => setPutOff(true)}>
      <p className="muted">All other changes of both are in the document. Choose a value; undo takes the choice back.</p>
      {conflicts.map((conflict) => (
        <Choice key={`${conflict.part} ${conflict.id} ${conflict.field}`} conflict={conflict} />
      ))}
      {conflicts.length > 1 && (
        <div className="row">
          {(["mine", "theirs"] as const).map((side) => (
            <Button key={side} isCompact onClick={() => conflicts.forEach((each) => saver.choose(each, side))}>
              {side === "mine" ? "Keep all of mine" : "Take all of theirs"}
            </Button>
          ))}
        </div>
      )}
    </Dialog>
  );
}

function Choice({ conflict }: { conflict: Conflict }) {
  const saver = useSaver();
  const title = useTitle(conflict);
  return (
    <section className="conflict" aria-label={title}>
      <h3>{title}</h3>
      <div className="sides">
        {(["mine", "theirs"] as const).map((side) => (
          <div key={side}>
            <h4>{side === "mine" ? "Mine" : "Theirs"}</h4>
            {conflict.field === null && conflict.part === "node" ? (
              <p>{conflict[side] === undefined ? "The node is removed." : "The node stays, with changes."}</p>
            ) : (
              <Value value={conflict[side]} other={conflict[side === "mine" ? "theirs" : "mine"]} />
            )}
            <Button isCompact aria-label={`${side === "mine" ? "Keep mine" : "Take theirs"}: ${title}`} onClick={() => saver.choose(conflict, side)}>
              {side === "mine" ? "Keep mine" : "Take theirs"}
            </Button>
          </div>
        ))}
      </div>
    </section>
  );
}

function useTitle({ part, id, field, isSetting, mine, theirs }: Conflict): string {
  const catalogue = useCatalogue();
  const { nodes } = useDocument();
  if (part !== "node") return memberLabel(id);
  const whole = (field === null ? (mine ?? theirs) : undefined) as (typeof nodes)[number] | undefined;
  const node = nodes.find((each) => each.id === id) ?? whole;
  if (!node) return id;
  const name = nodeLabel(catalogue, node);
  return field === null ? name : `${name}: ${isSetting ? fieldLabel(catalogue, node, field) : field}`;
}
