"""Plans of claimed executions. One of a draft has the graph that it began with on its record."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import InvalidGraph, NotFound, RecordTooNew
from engine.graph.draft_graph import DraftGraph
from engine.graph.features import UnknownHere, UnknownPart, find_unknown
from engine.graph.plan import NodeName, Plan, examine_graph, unpack_names
from engine.graph.plan_digest import digest_of, types_digest
from engine.services.runs.child_plans import ChildPlans, find_body
from engine.store import Store
from engine.store.children.records import GroupTarget
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.offload import OffloadedValues
from engine.store.formats import Format
from engine.store.redis.record_packing import unpack


async def find_plan(store: Store, claimed: ClaimedExecution, child_plans: ChildPlans) -> Plan:
    """Return the plan of an execution.

    Raises UnknownHere for a record or a plan of another release, NotFound or InvalidGraph when the
    version or a model is gone, and FileNotFoundError or StorageFailed for the offloaded graph of a
    draft.
    """
    if not Format.EXECUTION.knows(claimed.record):
        raise UnknownHere(UnknownPart("the format of its record"))
    try:
        if claimed.draft_of:
            return await _plan_of_drafts_body(child_plans, claimed)
        return await _find_with_models(store, claimed)
    except RecordTooNew as error:
        raise UnknownHere(UnknownPart(f"the format of its {error.noun}")) from None
    except (NotFound, InvalidGraph):
        for name in claimed.model_ids:
            if store.models.is_unreadable(name):
                raise UnknownHere(UnknownPart(f"the manifest of the model '{name}'")) from None
        raise


async def _find_with_models(store: Store, claimed: ClaimedExecution) -> Plan:
    try:
        return await _find_plan(store, claimed)
    except (NotFound, InvalidGraph):
        # Gateways may know models that this process has not loaded yet.
        is_newer = await store.models.catch_up()
        _check_manifests(store, claimed)
        if not is_newer:
            raise
        return await _find_plan(store, claimed)


def _check_manifests(store: Store, claimed: ClaimedExecution) -> None:
    """Raise UnknownHere for a model whose manifest a gateway could read, and this process not."""
    left_out = store.models.left_out()
    for model in claimed.model_ids:
        if model in left_out:
            raise UnknownHere(UnknownPart(f"the manifest of the model '{model}'"))


async def _find_plan(store: Store, claimed: ClaimedExecution) -> Plan:
    if claimed.is_draft:
        return await _plan_of_draft(store.offloaded, claimed)
    workflows, owner_id = store.workflows, claimed.owner_id
    try:
        plan = await workflows.plan_of_execution(
            owner_id, claimed.slug, claimed.version, claimed.model_ids
        )
    except NotFound:
        part = workflows.plans.unknown_part(owner_id, claimed.slug, claimed.version)
        if part is None:
            raise
        raise UnknownHere(part) from None
    plan = find_body(plan, claimed.body)
    _check_digest(claimed, digest_of(plan, is_of_version=bool(claimed.slug)))
    return plan


def _check_digest(claimed: ClaimedExecution, digest: str) -> None:
    """Raise UnknownHere if the gateway has accepted the execution with another plan."""
    if claimed.plan_digest and claimed.plan_digest != digest:
        raise UnknownHere(UnknownPart("the plan that another release made of its workflow"))


async def _plan_of_drafts_body(child_plans: ChildPlans, claimed: ClaimedExecution) -> Plan:
    target = GroupTarget(slug="", version=0, body=claimed.body, draft_of=claimed.draft_of)
    plan = (await child_plans.find(claimed.account_id, target)).plan
    _check_digest(claimed, digest_of(plan, is_of_version=False))
    return plan


async def _plan_of_draft(offloaded: OffloadedValues, claimed: ClaimedExecution) -> Plan:
    record = await _read_graph(offloaded, claimed)
    part = _unknown_part(claimed, record)
    if part is not None:
        raise UnknownHere(part)
    names = unpack_names(claimed.record["names"])
    _check_digest(claimed, types_digest(names))
    plan = await DraftGraph.of(record).compile_aside()
    if plan.names != names:
        raise InvalidGraph([])  # a node that is not needed has lost its model
    return plan


def _unknown_part(claimed: ClaimedExecution, record: Mapping[str, Any]) -> UnknownPart | None:
    """Return the first part of a draft's plan that this process does not know."""
    names = unpack_names(claimed.record["names"])
    return find_unknown(((name.id, name.type) for name in names), record.get("needs", ()))


async def _read_graph(offloaded: OffloadedValues, claimed: ClaimedExecution) -> Mapping[str, Any]:
    ids = claimed.account_id, claimed.execution_id
    data = await offloaded.open_value(*ids, claimed.record["draft"])
    record: Mapping[str, Any] = unpack(data)
    return record


async def lost_in_draft(
    offloaded: OffloadedValues, claimed: ClaimedExecution
) -> tuple[Mapping[str, str], Sequence[NodeName]]:
    """Return the reasons by the ids of nodes whose models are gone, and the names of all nodes."""
    graph = DraftGraph.of(await _read_graph(offloaded, claimed))
    names = unpack_names(claimed.record["names"])
    known = {name.id for name in names}
    problems = examine_graph(graph.nodes, graph.edges).problems
    return {
        problem.node_id: problem.reason for problem in problems if problem.node_id in known
    }, names
