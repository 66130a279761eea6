import type { GraphNode } from "../../api/types";
import { isOwn } from "../catalogue/check";
import { useDocument, useEditor } from "../document/store";
import { SourceLink } from "./SourceLink";
import { WireTo } from "./template/PlaceholderList";
import { useSources } from "./template/sources";

/** The input socket that takes the place of a setting. */
export function socketOf(name: string): string {
  return `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}-in`;
}

/** Tells of the wire that takes the place of a setting, or that one is missing. */
export function WiredNote({ node, name }: { node: GraphNode; name: string }) {
  const socket = socketOf(name);
  const sources = useSources(node.id);
  const edge = useDocument().edges.find((each) => each.target === node.id && each.targetHandle === socket);
  const problem = useEditor((state) =>
    state.check.problems.find((each) => isOwn(each, node.id) && each.socket === socket && !each.field),
  );
  if (edge) {
    return (
      <p className="hint wired">
        A wire takes its place: from <SourceLink edge={edge} />
      </p>
    );
  }
  if (!problem) return null;
  return (
    <p className="row">
      <WireTo node={node} name={socket} sources={sources} words="Nothing is given or wired." />
    </p>
  );
}
