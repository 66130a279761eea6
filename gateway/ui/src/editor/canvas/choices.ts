/** Nodes that may be added, found by a typed text, and those that fit a wire that waits for one. */

import type { GraphNode, Model } from "../../api/types";
import { bestFit, byCategory, type Catalogue, inWords, type NodeType, wirableOutputs, type Socket } from "../catalogue/catalogue";
import { firstModel, modelsOf } from "../catalogue/models";

/** The end of a wire that has no other end yet. */
export interface LooseWire {
  node: string;
  side: "source" | "target";
  socket: Socket;
}

export interface Choice {
  key: string;
  label: string;
  /** Its category, or the type of node that calls it. */
  kind: string;
  type: NodeType;
  data: GraphNode["data"];
  /** The model that a node begins with, unless a wire asks for more than texts. */
  firstModel?: string | undefined;
  /** The socket that the loose wire leads to. */
  socket: string | null;
}

/** The types, each followed by its models, in the order of the sidebar. */
export function choices(catalogue: Catalogue, models: readonly Model[]): Choice[] {
  return byCategory(catalogue)
    .flatMap(([, types]) => types)
    .flatMap((type) => [
      {
        key: type.type,
        label: type.label,
        kind: type.category,
        type,
        data: {},
        firstModel: firstModel(type.type, models)?.internalName,
        socket: null,
      },
      ...modelsOf(type.type, models).map((model) => ({
        key: `${type.type} ${model.internalName}`,
        label: model.name,
        kind: type.label,
        type,
        data: { model: model.internalName },
        socket: null,
      })),
    ]);
}

/** The choices that match all words, best names first; without any, the models are left out. */
export function matching(found: readonly Choice[], sought: string): Choice[] {
  const words = sought.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return found.filter((choice) => !("model" in choice.data));
  const texts = (choice: Choice): string =>
    `${choice.label} ${choice.kind} ${"model" in choice.data ? "" : choice.type.description}`.toLowerCase();
  // A name that begins as was typed stands before one that has the words, and that before a mere description.
  const rank = ({ label }: Choice): number => {
    const name = label.toLowerCase();
    if (name.startsWith(words[0] ?? "")) return 0;
    return words.every((word) => name.includes(word)) ? 1 : 2;
  };
  return found
    .filter((choice) => words.every((word) => texts(choice).includes(word)))
    .sort((one, other) => rank(one) - rank(other));
}

/** The available choices that fit a wire, with their socket and the settings that the socket needs. */
export function fitting(found: readonly Choice[], wire: LooseWire | null): Choice[] {
  const available = found.filter((choice) => choice.type.available);
  if (!wire) return available;
  return available.flatMap((choice) => {
    const { inputs, outputs, settings } = choice.type;
    const socket = bestFit(wire.side === "source" ? inputs : wirableOutputs({ data: {} }, outputs), wire.socket);
    if (socket) return [{ ...choice, socket: socket.name }];
    const hasTemplate = settings.properties?.text?.["x-widget"] === "template" && inputs.length === 0;
    if (wire.side !== "source" || !hasTemplate) return [];
    const name = inWords(wire.socket.name).replaceAll(/\W/g, "_");
    return [{ ...choice, data: { text: `{{ ${name} }}` }, socket: name }];
  });
}
