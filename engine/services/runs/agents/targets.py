"""Targets of an agent's children, and the tools that are workflows."""

import msgspec

from engine.errors import StorageFailed, WorkflowNotFound
from engine.errors.nodes import NodeFailed
from engine.graph.plan import Node
from engine.nodes.agents.agent import Agent
from engine.nodes.agents.parts import PartKind, part_name
from engine.nodes.agents.rounds import AgentChild, AgentTask
from engine.nodes.agents.tool_names import MAX_DESCRIPTION, KnownTool
from engine.nodes.support.children import Callee
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
from engine.values.input_schemas import inputs_schema

TASK = "task"
"""Value that all rounds of an agent read, in `GroupOpening.shared`."""


class AgentTargets:
    """Finds the tools of an agent when it begins, and the graph of each of its children."""

    def __init__(self, store: Store, plans: ChildPlans) -> None:
        self._store = store
        self._plans = plans

    async def find_tools(self, parent: ClaimedExecution, node: Node) -> tuple[KnownTool, ...]:
        """Return the workflows of a node's tools, each in its live version.

        A retry keeps the versions that its failed execution called, as long as they are there.

        Raises NodeFailed (`workflow_not_found`), StorageFailed or Unavailable.
        """
        if not isinstance(node.type, Agent):
            raise ValueError(f"a node of type '{node.type.type}' has no tools")
        callees = node.type.callees(node.settings)
        former = await self._former_versions(parent, node) if callees else {}
        return tuple(
            [await self._tool(parent, each, former.get(each.workflow)) for each in callees]
        )

    async def read_task(self, ref: GroupRef) -> AgentTask | None:
        """Return the task of an agent on record. Raises FileNotFoundError or StorageFailed."""
        return await read_task(self._store, ref)

    async def _former_versions(self, parent: ClaimedExecution, node: Node) -> dict[str, int]:
        former_id = parent.record.get("retry_of", b"").decode()
        if not former_id:
            return {}
        ref = GroupRef(parent.account_id, former_id, node.index, former_id)
        try:
            task = await self.read_task(ref)
        except (FileNotFoundError, StorageFailed):
            task = None
        return {} if task is None else {each.workflow: each.version for each in task.workflows}

    async def _tool(
        self, parent: ClaimedExecution, callee: Callee, former: int | None
    ) -> KnownTool:
        found = None if former is None else await self._find(parent, callee, former)
        version = former
        if found is None:
            version = await self._store.versions.find_live(parent.owner_id, callee.workflow)
            found = None if version is None else await self._find(parent, callee, version)
        if found is None or found.workflow is None or version is None:
            message = f"The workflow '{callee.workflow}' that this node names as a tool is gone"
            raise NodeFailed(WORKFLOW_NOT_FOUND, message)
        plan, document = found.plan, found.workflow.document
        schema = inputs_schema(plan.fields, strict=plan.strict_inputs, allow_http=True)
        schema.pop("$schema")
        about = ". ".join(each for each in (document.name, document.description) if each)
        return KnownTool(
            name=callee.workflow,
            description=about[:MAX_DESCRIPTION],
            parameters=schema,
            workflow=callee.workflow,
            version=version,
        )

    async def _find(
        self, parent: ClaimedExecution, callee: Callee, version: int
    ) -> ChildPlan | None:
        try:
            target = callee_target(parent, callee, version)
            return await self._plans.find(parent.account_id, target)
        except WorkflowNotFound:
            return None


async def read_task(store: Store, ref: GroupRef) -> AgentTask | None:
    """Return the task of an agent on record. Raises FileNotFoundError or StorageFailed."""
    shared = await store.children.items.shared(ref)
    return msgspec.convert(shared[TASK], AgentTask) if TASK in shared else None


def target_of(parent: ClaimedExecution, node_id: str, child: AgentChild) -> GroupTarget:
    """Return the graph that a child of an agent runs."""
    if child.part is None:
        return callee_target(parent, Callee(workflow=child.workflow), child.version)
    return body_target(parent, node_id, part_name(child.part, child.server))


def target_of_tool(parent: ClaimedExecution, tool: KnownTool) -> GroupTarget:
    """Return the graph of a tool that is a workflow."""
    return callee_target(parent, Callee(workflow=tool.workflow), tool.version)


def is_tool_call(target: GroupTarget) -> bool:
    """Return whether a child of an agent calls a tool: a workflow, or the tool of a server."""
    return not target.body or target.body[-1].startswith(PartKind.CALL)
