/** Node types as the API describes them, and the rules for wires. */

import type { Check, GraphNode, NodeTypeRow } from "../../api/types";
import { useResource } from "../../api/resource";

export type Sockets = Check["sockets"][string];
type Output = Sockets["outputs"][number];
export type Socket = Output & Partial<Sockets["inputs"][number]>;
export type SocketType = Socket["type"];

/** JSON Schema of a node's settings, as far as the editor reads it. */
export interface SettingSchema {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  examples?: unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  maxLength?: number;
  maxItems?: number;
  pattern?: string;
  properties?: Record<string, SettingSchema>;
  items?: SettingSchema;
  anyOf?: SettingSchema[];
  const?: unknown;
  required?: string[];
  "x-widget"?: string;
}

export interface NodeType extends Omit<NodeTypeRow, "settings"> {
  settings: SettingSchema;
}

export type Catalogue = ReadonlyMap<string, NodeType>;

const CATEGORIES = [
  "Inputs",
  "Utilities",
  "Control",
  "LLMs",
  "Image Models",
  "Video Models",
  "Music Models",
  "Speech",
  "Image Tools",
  "Custom",
  "Outputs",
];
const EMPTY: Sockets = { inputs: [], outputs: [] };
const catalogues = new WeakMap<NodeType[], Catalogue>();

/** The node types by name, in the order of the sidebar; undefined until they are loaded. */
export function useCatalogue(): Catalogue | undefined {
  const types = useResource<NodeType[]>("/api/node-types").data;
  if (!types) return undefined;
  let known = catalogues.get(types);
  if (!known) {
    known = new Map(types.map((each) => [each.type, each]));
    catalogues.set(types, known);
  }
  return known;
}

/** The categories with their types; categories that this page does not know come before the last one. */
export function byCategory(catalogue: Catalogue): [string, NodeType[]][] {
  const types = [...catalogue.values()];
  const others = types.map((each) => each.category).filter((each) => !CATEGORIES.includes(each));
  const order = [...CATEGORIES.slice(0, -1), ...new Set(others), ...CATEGORIES.slice(-1)];
  return order
    .map((category): [string, NodeType[]] => [category, types.filter((each) => each.category === category)])
    .filter(([, found]) => found.length > 0);
}

/** The sockets of a node: as checked last, or those of its type until it is checked. */
export function socketsOf(
  node: GraphNode,
  checked: Record<string, Sockets>,
  catalogue: Catalogue | undefined,
): Sockets {
  return checked[node.id] ?? catalogue?.get(node.type) ?? EMPTY;
}

/** Output of the error of a node that has failed. Nobody means it unless they choose it. */
export const ERROR_OUT = "error-out";

/** The outputs of a node that give its values now: the parsed value of an Assistant needs a JSON Schema. */
export function wirableOutputs({ data }: Pick<GraphNode, "data">, outputs: readonly Socket[]): Socket[] {
  return outputs.filter(({ name }) => name !== ERROR_OUT && (name !== "json-out" || Boolean(data.jsonSchema)));
}

export function fits(output: SocketType, input: SocketType): boolean {
  return output === input || output === "any" || input === "any";
}

/** A socket's name in words: `prompt` for `prompt-in`. */
export function inWords(socket: string): string {
  return socket.replace(/-(in|out)$/, "").replaceAll("-", " ") || socket;
}

/** The socket of these that suits another one best: by its name, then by its type; null where none fits. */
export function bestFit(sockets: readonly Socket[], { name, type }: Pick<Socket, "name" | "type">): Socket | null {
  const score = (socket: Socket): number =>
    (inWords(socket.name) === inWords(name) ? 8 : 0) +
    (socket.type === type ? 4 : 0) +
    (socket.required ? 2 : 0) -
    (socket.name === "params-in" ? 1 : 0);
  const fitting = sockets.filter((socket) => fits(socket.type, type));
  return fitting.reduce<Socket | null>((best, each) => (best && score(best) >= score(each) ? best : each), null);
}

const ARTICLED: Record<SocketType, string> = {
  text: "a text",
  image: "an image",
  video: "a video",
  audio: "an audio",
  file: "a file",
  any: "any value",
};

/** A sentence about two sockets that do not fit. */
export function misfit(output: Socket, input: Socket): string {
  return `‘${output.name}’ gives ${ARTICLED[output.type]}, and ‘${input.name}’ takes ${ARTICLED[input.type]}.`;
}
