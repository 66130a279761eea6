import type { ExecutionRow, GraphNode } from "../../../api/types";
import { ChildList } from "../../../children/ChildList";
import type { Children } from "../../../children/children";
import { StepList } from "../../../children/steps/StepList";
import { isAgent, useSteps } from "../../../children/steps/steps";
import { bodyOf } from "../../bodies/body";
import { openGraph } from "../../bodies/open";
import { useStore } from "../../document/store";
import { useRuns } from "../runs";

interface Props {
  node: GraphNode;
  executionId: string;
  found: Children;
}

/** The items of a node in a run; each is shown on the graph inside of the node, or on its page. */
export function NodeItems({ node, executionId, found }: Props) {
  const { path } = useStore();
  const runs = useRuns();
  const steps = useSteps(isAgent(node) ? executionId : null, node.id, JSON.stringify(found));
  if (steps) return <StepList steps={steps} />;
  const open = ({ executionId: item }: ExecutionRow): void => {
    runs.set({ inspected: null });
    openGraph([...path, node.id], { item });
  };
  return (
    <ChildList
      parentId={executionId}
      node={node}
      found={found}
      {...(bodyOf(node) ? { onOpen: open } : {})}
    />
  );
}
