import type { GraphEdge } from "../../api/types";
import { useStore } from "../document/store";

/** The output that a wire comes from; pressing it leads to its node. */
export function SourceLink({ edge }: { edge: GraphEdge }) {
  const store = useStore();
  return (
    <button type="button" className="link" onClick={() => store.show(edge.source)}>
      {edge.source} · {edge.sourceHandle}
    </button>
  );
}
