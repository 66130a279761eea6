import { useState } from "react";
import { ERROR_OUT, inWords, wirableOutputs, type Socket, socketsOf } from "../../catalogue/catalogue";
import type { Point } from "../../document/document";
import { remove } from "../../document/edits";
import { announce } from "../announce";
import { type End, refusal } from "../connecting";
import { nameOf } from "../flow";
import { addWire } from "../useWiring";
import type { CanvasContext } from "./context";
import { type Option, PickList } from "./PickList";

interface Props {
  context: CanvasContext;
  at: Point;
  node: string;
}

const byText = <T extends Option>(options: readonly T[], sought: string): T[] =>
  options.filter((each) => `${each.label} ${each.hint ?? ""}`.toLowerCase().includes(sought.trim().toLowerCase()));

function Dot({ type }: { type: string }) {
  return <span className={`socket-dot ${type}`} aria-hidden="true" />;
}

/** Draws a wire by keyboard: first its output, then the input of another node. */
export function WirePicker({ context, at, node: id }: Props) {
  const { store, catalogue } = context;
  const { nodes } = store.document;
  const node = nodes.find((each) => each.id === id);
  const all = node ? socketsOf(node, store.get().check.sockets, catalogue).outputs : [];
  const error = all.find((each) => each.name === ERROR_OUT);
  const ofValues = node ? wirableOutputs(node, all) : [];
  const outputs = error ? [...ofValues, error] : ofValues;
  const [output, setOutput] = useState<Socket | null>(ofValues.length === 1 ? (ofValues[0] ?? null) : null);
  const onClose = (): void => context.open(null);
  if (!output) {
    const options = outputs.map((socket) => ({
      key: socket.name,
      label: inWords(socket.name),
      hint: socket.type,
      icon: <Dot type={socket === error ? "error" : socket.type} />,
      socket,
    }));
    return (
      <PickList
        key="output"
        at={at}
        title={`Output of ${id}`}
        find={(sought) => byText(options, sought)}
        none="This node has no output."
        onPick={({ socket }) => setOutput(socket)}
        onClose={onClose}
      />
    );
  }
  const ends = nodes.flatMap((target) =>
    socketsOf(target, store.get().check.sockets, catalogue).inputs.map((input) => ({
      key: `${target.id} ${input.name}`,
      label: `${inWords(input.name)} of ${target.id}`,
      hint: input.required ? `${input.type}, required` : input.type,
      icon: <Dot type={input.type} />,
      name: nameOf(target, catalogue),
      end: { source: id, sourceHandle: output.name, target: target.id, targetHandle: input.name } satisfies End,
    })),
  );
  const fitting = ends.filter(({ end }) => refusal(store, catalogue, end) === null);
  const instead = {
    key: "error",
    label: `The error of ${id} instead`,
    hint: "if it fails",
    icon: <Dot type="error" />,
    name: "",
    end: null,
  };
  const options = error && output !== error ? [...fitting, instead] : fitting;
  return (
    <PickList
      key="input"
      at={at}
      title={`Wire ${inWords(output.name)} of ${id} to`}
      find={(sought) => byText(options, sought)}
      none="No input fits this output."
      onPick={({ end }) => {
        if (!end) return setOutput(error ?? null);
        onClose();
        addWire(store, catalogue, end);
      }}
      onClose={onClose}
    />
  );
}

/** Removes one of the wires of a node. */
export function UnwirePicker({ context, at, node: id }: Props) {
  const { store } = context;
  const options = store.document.edges
    .filter((edge) => edge.source === id || edge.target === id)
    .map((edge) => ({
      key: edge.id,
      label: `${inWords(edge.sourceHandle)} of ${edge.source} → ${inWords(edge.targetHandle)} of ${edge.target}`,
    }));
  return (
    <PickList
      at={at}
      title={`Remove a wire of ${id}`}
      find={(sought) => byText(options, sought)}
      none="This node has no wire."
      onPick={({ key, label }) => {
        context.open(null);
        store.edit(remove([], [key]));
        announce(`Wire removed: ${label}`);
      }}
      onClose={() => context.open(null)}
    />
  );
}
