import { useMemo } from "react";
import type { Point } from "../../document/document";
import { addBeside, addNear } from "../adding";
import { Icon } from "../card/Icon";
import { type Choice, choices, fitting, type LooseWire, matching } from "../choices";
import type { CanvasContext } from "./context";
import { type Option, PickList } from "./PickList";

interface Props {
  context: CanvasContext;
  at: Point | null;
  wire: LooseWire | null;
}

/** Adds a node near the pointer, or beside the chosen node; for a wire, one that fits it. */
export function QuickAdd({ context, at, wire }: Props) {
  const { catalogue, models, flow } = context;
  const offers = useMemo(
    () => (catalogue ? fitting(choices(catalogue, models), wire) : []),
    [catalogue, models, wire],
  );
  const find = (sought: string) =>
    matching(offers, sought).map((choice): Option & { choice: typeof choice } => ({
      key: choice.key,
      label: choice.label,
      hint: choice.kind,
      icon: <Icon type={choice.type.type} category={choice.type.category} />,
      choice,
    }));
  const add = (choice: Choice): void => {
    if (!at) return addBeside(context, choice);
    const { x, y } = flow.screenToFlowPosition(at);
    // The card opens with its socket near the pointer, on the side from which the wire comes.
    const offset = wire ? { x: wire.side === "source" ? 0 : -240, y: -56 } : { x: 0, y: 0 };
    addNear(context, choice, { x: x + offset.x, y: y + offset.y }, wire);
  };
  return (
    <PickList
      at={at ?? context.middle()}
      title={wire ? `Add a node for ${wire.socket.name} (${wire.socket.type})` : "Add a node"}
      find={find}
      none="No node is called so."
      onPick={({ choice }) => {
        context.open(null);
        add(choice);
      }}
      onClose={() => context.open(null)}
    />
  );
}
