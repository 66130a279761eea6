import { useDocument, useEditor } from "../document/store";
import { sentence } from "./problems";
import { SourceLink } from "./SourceLink";

/** The input socket that takes the place of a setting. */
export function socketOf(name: string): string {
  return `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}-in`;
}

/** Tells of the wire that takes the place of a setting, or that one is missing. */
export function WiredNote({ nodeId, name }: { nodeId: string; name: string }) {
  const socket = socketOf(name);
  const edge = useDocument().edges.find((each) => each.target === nodeId && each.targetHandle === socket);
  const problem = useEditor((state) =>
    state.check.problems.find((each) => each.nodeId === nodeId && each.socket === socket && !each.field),
  );
  if (edge) {
    return (
      <p className="hint wired">
        A wire takes its place: from <SourceLink edge={edge} />
      </p>
    );
  }
  return problem ? <p className="fault">{sentence(problem.reason)}</p> : null;
}
