"""Targets of children and their plans: workflows, and bodies and parts of nodes, of drafts too."""

from collections.abc import Sequence

from msgspec import Struct

from engine.errors import WorkflowNotFound
from engine.graph.body_paths import body_at
from engine.graph.draft_graph import DraftGraph
from engine.graph.plan import Plan
from engine.models.registry import generation
from engine.nodes.support.children import Callee
from engine.process.lru_cache import LruCache
from engine.store import Store, Workflow
from engine.store.children.records import GroupTarget
from engine.store.executions.claim import ClaimedExecution
from engine.store.redis import keyspace
from engine.store.redis.record_packing import unpack

WORKFLOW_NOT_FOUND = "workflow_not_found"
"""Code of a node that calls a workflow or a version that is gone."""
DRAFTS_KEPT = 32
DRAFTS_BYTES = 33_554_432
"""Total packed size of the graphs of all cached drafts."""


class ChildPlan(Struct, frozen=True):
    """Plan of children, and the version that it belongs to; None: a draft's."""

    plan: Plan
    workflow: Workflow | None


class ChildPlans:
    """Finds the plans of groups; those of drafts are cached here, as each child needs one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._drafts: LruCache[tuple[str, int], Plan] = LruCache(DRAFTS_KEPT, DRAFTS_BYTES)

    async def find(self, account_id: str, target: GroupTarget) -> ChildPlan:
        """Return the plan that the children of an account's group run.

        Raises WorkflowNotFound when the version, the draft or the body is gone, InvalidGraph when a
        model of a draft is, and StorageFailed or Unavailable.
        """
        if target.draft_of:
            plan = await self._plan_of_draft(account_id, target.draft_of)
            return ChildPlan(find_body(plan, target.body), None)
        owner_id = target.owner_id or account_id
        workflow, plan = await self._store.workflows.plan_of(owner_id, target.slug, target.version)
        return ChildPlan(find_body(plan, target.body), workflow)

    async def _plan_of_draft(self, account_id: str, execution_id: str) -> Plan:
        place = execution_id, generation()
        known = self._drafts.get(place)
        if known is not None:
            return known
        key = keyspace.execution(account_id, execution_id)
        data = await self._store.client.send("HGET", key, "draft")
        if data is None:
            raise WorkflowNotFound
        try:
            data = await self._store.offloaded.open_value(account_id, execution_id, data)
        except FileNotFoundError:
            raise WorkflowNotFound from None
        plan = await DraftGraph.of(unpack(data)).compile_aside()
        self._drafts.put(place, plan, len(data))
        return plan


def find_body(plan: Plan, path: Sequence[str]) -> Plan:
    """Return the plan of a body, like `body_at`. Raises WorkflowNotFound."""
    body = body_at(plan, path)
    if body is None:
        raise WorkflowNotFound
    return body


def body_target(parent: ClaimedExecution, node_id: str, part: str = "") -> GroupTarget:
    """Return the body of a node of the parent, or the part of a node by its name."""
    draft_of = parent.record.get("draft_of", b"").decode()
    if not draft_of and parent.is_draft:
        draft_of = parent.execution_id
    return GroupTarget(
        slug=parent.slug,
        version=parent.version,
        owner_id=_foreign_owner(parent),
        body=(*parent.body, node_id, part) if part else (*parent.body, node_id),
        draft_of=draft_of,
    )


def callee_target(parent: ClaimedExecution, callee: Callee, version: int) -> GroupTarget:
    """Return a workflow of the account that owns the parent's."""
    return GroupTarget(slug=callee.workflow, version=version, owner_id=_foreign_owner(parent))


def _foreign_owner(parent: ClaimedExecution) -> str:
    """Return the account of the parent's workflow, empty for the parent's own."""
    return "" if parent.owner_id == parent.account_id else parent.owner_id
