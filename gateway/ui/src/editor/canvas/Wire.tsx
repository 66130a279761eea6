import { BaseEdge, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo } from "react";
import { useCatalogue } from "../catalogue/catalogue";
import { useEditor } from "../document/store";
import type { FlowEdge } from "./flow";

/** A wire in the colour of its output. */
export const Wire = memo(function Wire(props: EdgeProps<FlowEdge>) {
  const { id, source, sourceHandleId, data, selected } = props;
  const ofType = useCatalogue()?.get(data?.of ?? "");
  const type = useEditor((state) => {
    const { outputs } = state.check.sockets[source] ?? ofType ?? { outputs: [] };
    return outputs.find((each) => each.name === sourceHandleId)?.type ?? "any";
  });
  const [path] = getBezierPath(props);
  return <BaseEdge id={id} path={path} className={`wire ${type}${selected ? " selected" : ""}`} interactionWidth={18} />;
});
