/** The open graph in the address of the editor. */

/** Parameters of the address: ids of the nodes that lead to the graph, an item whose run it shows, and a node. */
export const PATH = "in";
export const ITEM = "item";

export interface Place {
  item?: string;
  node?: string;
}

export function writePath(path: readonly string[]): string {
  return path.map(encodeURIComponent).join("/");
}

export function parsePath(text: string): string[] {
  return text.split("/").filter(Boolean).map(decodeURIComponent);
}

/** The address of a graph of a workflow. */
export function graphAddress(slug: string, path: readonly string[], { item = "", node = "" }: Place): string {
  const all = Object.entries({ [PATH]: writePath(path), [ITEM]: item, node }).filter(([, value]) => value);
  return `/app/editor/${slug}?${new URLSearchParams(all)}`;
}
