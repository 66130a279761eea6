"""Targets of groups: the body of a node, or the workflow that it calls, at one version."""

from engine.errors import WorkflowNotFound
from engine.errors.nodes import NodeFailed
from engine.graph.plan import Node
from engine.ids.executions import child_execution_id
from engine.nodes.support.children import Callee, ChildrenNode
from engine.services.runs.agents.targets import AgentTargets
from engine.services.runs.child_plans import (
    WORKFLOW_NOT_FOUND,
    ChildPlan,
    ChildPlans,
    body_target,
    callee_target,
)
from engine.store import Store
from engine.store.children.keys import GroupRef
from engine.store.children.records import GroupTarget
from engine.store.executions.claim import ClaimedExecution


class ChildTargets:
    """Finds the graph that the children of a node run, when the node begins."""

    def __init__(self, store: Store, plans: ChildPlans) -> None:
        self._store = store
        self._plans = plans
        self.agents = AgentTargets(store, plans)

    async def find(self, parent: ClaimedExecution, node: Node) -> tuple[GroupTarget, ChildPlan]:
        """Return the target of a node's children, with its plan.

        A retry keeps the version that its failed execution called, as long as that is there.
        Inner workflows are those of the account that owns the parent's workflow.

        Raises NodeFailed (`workflow_not_found`), StorageFailed or Unavailable.
        """
        if not isinstance(node.type, ChildrenNode):
            raise ValueError(f"a node of type '{node.type.type}' has no children")
        callee = node.type.callee(node.settings)
        if callee is None:
            target = body_target(parent, node.id)
            return target, await self._plan(parent, target, "The body of this node is gone")
        gone = f"The workflow '{callee.workflow}' that this node calls is gone"
        if callee.version is not None:
            target = callee_target(parent, callee, callee.version)
            gone = f"Version {callee.version} of the workflow '{callee.workflow}' is gone"
            return target, await self._plan(parent, target, gone)
        former = await self._former_version(parent, node, callee)
        if former is not None:
            target = callee_target(parent, callee, former)
            try:
                return target, await self._plans.find(parent.account_id, target)
            except WorkflowNotFound:
                pass
        target = await self._live_target(parent, callee, gone)
        return target, await self._plan(parent, target, gone)

    async def _plan(self, parent: ClaimedExecution, target: GroupTarget, gone: str) -> ChildPlan:
        try:
            return await self._plans.find(parent.account_id, target)
        except WorkflowNotFound:
            raise NodeFailed(WORKFLOW_NOT_FOUND, gone) from None

    async def _former_version(
        self, parent: ClaimedExecution, node: Node, callee: Callee
    ) -> int | None:
        """Return the version that the failed execution called which the parent retries."""
        former_id = parent.record.get("retry_of", b"").decode()
        if not former_id:
            return None
        ref = GroupRef(parent.account_id, former_id, node.index, former_id)
        group = await self._store.children.find(ref)
        if group is not None:
            is_same = group.target.slug == callee.workflow
            return group.target.version if is_same else None
        # The history has no groups, but children.
        child_id = child_execution_id(former_id, node.id, 0)
        record = await self._store.executions.record_for_retry(parent.account_id, child_id)
        is_same = record.get("slug", b"").decode() == callee.workflow
        return int(record["version"]) if is_same else None

    async def _live_target(
        self, parent: ClaimedExecution, callee: Callee, gone: str
    ) -> GroupTarget:
        version = await self._store.versions.find_live(parent.owner_id, callee.workflow)
        if version is None:
            raise NodeFailed(WORKFLOW_NOT_FOUND, gone)
        return callee_target(parent, callee, version)
