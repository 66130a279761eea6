import type { GraphNode } from "../../../api/types";
import { useCalleeChange, useWorkflow } from "../../settings/calls/callee";

/** The workflow that a node calls, in a line of its card; leads to it in another tab. */
export function CalleeLine({ node, slug }: { node: GraphNode; slug: string }) {
  const row = useWorkflow(slug);
  const change = useCalleeChange(node);
  const version = typeof node.data.version === "number" ? node.data.version : row?.version;
  return (
    <>
      <a
        className="node-callee nodrag"
        href={`/app/editor/${slug}`}
        target="_blank"
        rel="noreferrer"
        tabIndex={-1}
        title={`Open ${slug} in a new tab`}
      >
        {row?.name ?? slug} <span aria-hidden="true">↗</span>
      </a>
      <p className={change ? "node-summary node-callee-changed" : "node-summary"}>
        {change ? `Changed since version ${change.from}: ${change.reasons.join(", ")}` : (row?.description || (version ? `Version ${version}` : "Not published, or gone"))}
      </p>
    </>
  );
}
