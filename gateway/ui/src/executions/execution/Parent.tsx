import { useResource } from "../../api/resource";
import type { ExecutionDetail, ExecutionNode } from "../../api/types";
import { childName, isCall } from "../../children/children";
import { isAgent, nameOfChild, useSteps } from "../../children/steps/steps";
import { Link } from "../../shell/router";
import { executionPath } from "./state";

/** The node that began a child, once its execution is read. */
function useParentNode({ parentId, parentNodeId }: ExecutionDetail): ExecutionNode | undefined {
  const parent = useResource<ExecutionDetail>(parentId ? executionPath(parentId) : null).data;
  return parent?.nodes.find((each) => each.id === parentNodeId);
}

function addressOf({ parentId, parentNodeId }: ExecutionDetail): string {
  return `/app/executions/${parentId}?node=${encodeURIComponent(parentNodeId ?? "")}`;
}

/** The way from a child back to the node that has begun it. */
export function BackToParent({ execution }: { execution: ExecutionDetail }) {
  const node = useParentNode(execution);
  const isOnly = node !== undefined && isCall(node);
  return (
    <Link href={addressOf(execution)}>
      {isOnly ? "The node" : node && isAgent(node) ? "All steps of" : "All items of"} {execution.parentNodeId}
    </Link>
  );
}

/** The place of a child: its item, its node, its parent, and the run that all of them belong to. */
export function PlaceOfChild({ execution }: { execution: ExecutionDetail }) {
  const node = useParentNode(execution);
  const isOnly = node !== undefined && isCall(node);
  const ofAgent = node !== undefined && isAgent(node);
  const steps = useSteps(ofAgent ? (execution.parentId ?? null) : null, node?.id ?? "", null);
  const name = ofAgent ? `${nameOfChild(steps, execution.executionId)} of ` : `${childName(execution)} of `;
  const { parentId, rootId, parentNodeId } = execution;
  return (
    <>
      {!isOnly && name}
      {parentNodeId} in <Link href={addressOf(execution)}>{parentId?.slice(0, 8)}</Link>
      {rootId && rootId !== parentId && (
        <>
          , a part of <Link href={`/app/executions/${rootId}`}>{rootId.slice(0, 8)}</Link>
        </>
      )}
    </>
  );
}
