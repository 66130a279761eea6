import { BaseEdge, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo } from "react";
import { ERROR_OUT, useCatalogue } from "../catalogue/catalogue";
import { useEditor } from "../document/store";
import type { FlowEdge } from "./flow";

/** A wire in the colour of its output; that of an error is red. */
export const Wire = memo(function Wire(props: EdgeProps<FlowEdge>) {
  const { id, source, sourceHandleId, data, selected } = props;
  const ofType = useCatalogue()?.get(data?.of ?? "");
  const type = useEditor((state) => {
    if (sourceHandleId === ERROR_OUT) return "error";
    const { outputs } = state.check.sockets[source] ?? ofType ?? { outputs: [] };
    return outputs.find((each) => each.name === sourceHandleId)?.type ?? "any";
  });
  const [path] = getBezierPath(props);
  return <BaseEdge id={id} path={path} className={`wire ${type}${selected ? " selected" : ""}`} interactionWidth={18} />;
});
