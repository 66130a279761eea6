import { Drawing } from "../../home/Drawing";
import { useStore } from "../document/store";
import type { Body } from "./body";
import { openGraph } from "./open";

interface Props {
  nodeId: string;
  body: Body;
  isLarge?: boolean;
}

/** A picture of the graph inside of a node; pressing it opens the graph. */
export function BodyPreview({ nodeId, body, isLarge = false }: Props) {
  const { path } = useStore();
  return (
    <button
      type="button"
      className={isLarge ? "body-preview graph large" : "body-preview graph nodrag"}
      // With the keyboard, a key and the settings of the node lead there.
      tabIndex={isLarge ? 0 : -1}
      title="Open the graph for each item"
      aria-label={`Open the graph of ${nodeId}`}
      onClick={() => openGraph([...path, nodeId])}
    >
      <Drawing graph={body} />
    </button>
  );
}
