import { useResource } from "../../api/resource";
import type { ExecutionDetail } from "../../api/types";
import { childName, isCall } from "../../children/children";
import { Link } from "../../shell/router";
import { executionPath } from "./state";

/** Whether a child is the only one of its node, as the run of a called workflow is. */
function useIsOnly({ parentId, parentNodeId }: ExecutionDetail): boolean {
  const parent = useResource<ExecutionDetail>(parentId ? executionPath(parentId) : null).data;
  const node = parent?.nodes.find((each) => each.id === parentNodeId);
  return node !== undefined && isCall(node);
}

function addressOf({ parentId, parentNodeId }: ExecutionDetail): string {
  return `/app/executions/${parentId}?node=${encodeURIComponent(parentNodeId ?? "")}`;
}

/** The way from a child back to the node that has begun it. */
export function BackToParent({ execution }: { execution: ExecutionDetail }) {
  const isOnly = useIsOnly(execution);
  return (
    <Link href={addressOf(execution)}>
      {isOnly ? "The node" : "All items of"} {execution.parentNodeId}
    </Link>
  );
}

/** The place of a child: its item, its node, its parent, and the run that all of them belong to. */
export function PlaceOfChild({ execution }: { execution: ExecutionDetail }) {
  const isOnly = useIsOnly(execution);
  const { parentId, rootId, parentNodeId } = execution;
  return (
    <>
      {!isOnly && `${childName(execution)} of `}
      {parentNodeId} in <Link href={addressOf(execution)}>{parentId?.slice(0, 8)}</Link>
      {rootId && rootId !== parentId && (
        <>
          , a part of <Link href={`/app/executions/${rootId}`}>{rootId.slice(0, 8)}</Link>
        </>
      )}
    </>
  );
}
