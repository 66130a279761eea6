import type { NodeProps } from "@xyflow/react";
import { memo } from "react";
import { Markdown } from "../../playground/Markdown";
import type { FlowNode } from "./flow";

/** A note to people, in Markdown; it never runs. */
export const NoteCard = memo(function NoteCard({ id, data: { node } }: NodeProps<FlowNode>) {
  const text = typeof node.data.text === "string" ? node.data.text : "";
  return (
    <article className="canvas-note" aria-label={`Note ${id}`}>
      {text ? <Markdown text={text} /> : <p className="hint">An empty note</p>}
    </article>
  );
});
