"""Cached plans of workflows in a process, compiled once for each version."""

from dataclasses import replace

from engine.errors import InvalidGraph
from engine.graph.bodies import graph_size
from engine.graph.features import UnknownPart, find_unknown
from engine.graph.inner_plans import depends_on_models
from engine.graph.plan import Plan, compile_plan
from engine.models.registry import generation
from engine.process.lru_cache import LruCache
from engine.store.redis.record_packing import pack, unpacked_size
from engine.store.workflows.records import Workflow

PLANS_KEPT = 512
PLANS_BYTES = 134_217_728
"""Total weight of all cached plans."""
ELEMENT_BYTES = 1_500
"""Estimated memory of a node or an edge in a plan."""

Kept = tuple[Workflow | None, Plan | None, int]
"""Version with its plan and the generation of the registry at its compilation."""
NOTHING: Kept = (None, None, 0)


class PlanCache:
    """Compiles plans, and caches the most recently used ones."""

    def __init__(self) -> None:
        self._plans: LruCache[tuple[str, int], Kept] = LruCache(PLANS_KEPT, PLANS_BYTES)
        self._unknown: LruCache[tuple[str, int], tuple[str, UnknownPart]] = LruCache(PLANS_KEPT)
        """Accounts and unknown parts of versions that this process cannot compile."""

    def compiled(self, workflow: Workflow) -> tuple[Workflow, Plan | None]:
        """Return the workflow with its plan, which is None where `problems` says why not."""
        _, plan = self.known(workflow.slug, workflow.version) or (None, None)
        # Members around the graph may have changed since the version was compiled.
        return (workflow, plan) if plan is not None else self.remember(workflow)

    def remember(self, workflow: Workflow) -> tuple[Workflow, Plan | None]:
        """Compile a workflow and cache its plan, which is None if the workflow cannot run."""
        if not workflow.version:
            return workflow, None  # a draft changes without a version
        document = workflow.document
        unknown = None if workflow.problems else _find_unknown(workflow)
        if unknown is not None:
            self._unknown.put((workflow.slug, workflow.version), (workflow.account_id, unknown))
            problem = {"reason": f"This release does not know {unknown.name}"}
            where = {} if unknown.node_id is None else {"nodeId": unknown.node_id}
            return replace(workflow, problems=(where | problem,)), None
        try:
            plan = None if workflow.problems else compile_plan(document.nodes, document.edges)
        except InvalidGraph as error:
            # A model was removed after the save, and may come back.
            return replace(workflow, problems=tuple(error.context["problems"])), None
        key, cached = (workflow.slug, workflow.version), _without_editor(workflow)
        self._plans.put(key, (cached, plan, generation()), _weigh(cached))
        return cached, plan

    def known_plan(self, account_id: str, slug: str, version: int) -> Plan | None:
        """Return the plan of a version of the account's workflow, None if it is not cached."""
        workflow, plan = self.known(slug, version) or (None, None)
        return plan if workflow is not None and workflow.account_id == account_id else None

    def unknown_part(self, account_id: str, slug: str, version: int) -> UnknownPart | None:
        """Return the part for which a version of the account's workflow was not compiled, if any.

        None as well for a version that was not read lately.
        """
        owner_id, part = self._unknown.get((slug, version)) or ("", None)
        return part if owner_id == account_id else None

    def known(self, slug: str, version: int) -> tuple[Workflow, Plan | None] | None:
        """Return a cached version unless its models may have changed."""
        workflow, plan, compiled_at = self._plans.get((slug, version)) or NOTHING
        if workflow is None or (plan and depends_on_models(plan) and compiled_at != generation()):
            return None
        return workflow, plan


def _find_unknown(workflow: Workflow) -> UnknownPart | None:
    if not workflow.is_known:
        return UnknownPart("the format of its version")
    named = ((node["id"], node["type"]) for node in workflow.document.nodes)
    return find_unknown(named, workflow.needs)


def _without_editor(workflow: Workflow) -> Workflow:
    """Return the workflow without the data of the canvas, which no run needs."""
    document = workflow.document
    if not document.editor:
        return workflow
    size = workflow.size - unpacked_size(pack(document.editor))
    return replace(workflow, document=replace(document, editor={}), size=size)


def _weigh(workflow: Workflow) -> int:
    """Return the estimated bytes of a workflow and its plan in memory."""
    document = workflow.document
    elements = graph_size(document.nodes, document.edges)
    return workflow.size + elements * ELEMENT_BYTES
