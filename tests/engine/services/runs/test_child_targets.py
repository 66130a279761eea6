"""Versions that the children of a node run, as they are when the node begins."""

from dataclasses import replace

import pytest

from engine.errors.nodes import NodeFailed
from engine.graph.body_paths import format_path
from engine.graph.document import parse_document
from engine.graph.plan import Node
from engine.ids.executions import child_execution_id, new_execution_id
from engine.services.runs.child_plans import ChildPlans
from engine.services.runs.child_targets import ChildTargets
from engine.store import Account, Store
from engine.store.children.keys import children
from engine.store.children.records import GroupTarget
from engine.store.executions.claim import ClaimedExecution, Lease
from engine.store.redis import keyspace
from tests.support.factories import Graph, greeting
from tests.support.graphs.nested_graphs import calling, per_item
from tests.support.workers.claimed_execution import CLAIMED


async def save(store: Store, account: Account, graph: Graph, name: str = "Outer") -> str:
    document = parse_document(graph.body(name))
    return (await store.workflows.create(account.id, document, [])).slug


async def node_of(store: Store, account: Account, slug: str, node_id: str) -> Node:
    _, plan = await store.workflows.plan_of(account.id, slug, 1)
    return next(node for node in plan.nodes if node.id == node_id)


def run_of(account: Account, slug: str, **record: str) -> ClaimedExecution:
    fields = {name: value.encode() for name, value in record.items()}
    lease = Lease(account.id, "the-run", "w", 1, "t")
    return replace(CLAIMED, lease=lease, slug=slug, record=fields)


async def find(store: Store, run: ClaimedExecution, node: Node) -> GroupTarget:
    target, found = await ChildTargets(store, ChildPlans(store)).find(run, node)
    assert found.plan.request_input is not None
    return target


async def test_a_body_has_the_version_of_its_parent(store: Store, account: Account) -> None:
    slug = await save(store, account, per_item(per_item(greeting())))
    _, plan = await store.workflows.plan_of(account.id, slug, 1)
    outer = next(node for node in plan.nodes if node.id == "each")
    assert outer.body is not None
    inner = next(node for node in outer.body.nodes if node.id == "each")

    first = await find(store, run_of(account, slug), outer)
    second = await find(store, run_of(account, slug, body=format_path(("each",))), inner)

    assert first == GroupTarget(slug=slug, version=1, body=("each",))
    assert second == GroupTarget(slug=slug, version=1, body=("each", "each"))


async def test_a_call_has_the_live_version_and_a_named_one_its_own(
    store: Store, account: Account
) -> None:
    inner = await save(store, account, greeting(), "Inner")
    live = await save(store, account, calling(inner), "Live")
    named = await save(store, account, calling(inner, version=1), "Named")
    plans = ChildPlans(store)
    await plans.find(account.id, GroupTarget(slug=inner, version=1))
    later = parse_document(greeting(2).body("Inner"))
    await store.workflows.update(account.id, inner, later, [])

    found = [
        await find(store, run_of(account, slug), await node_of(store, account, slug, "call"))
        for slug in (live, named)
    ]

    assert [each.version for each in found] == [2, 1]
    assert {each.slug for each in found} == {inner}
    assert {each.body for each in found} == {()}


@pytest.mark.parametrize("is_archived", [False, True])
async def test_a_retry_calls_the_version_of_the_failed_run(
    store: Store, account: Account, is_archived: bool
) -> None:
    inner = await save(store, account, greeting(), "Inner")
    slug = await save(store, account, calling(inner))
    await store.workflows.update(account.id, inner, parse_document(greeting(2).body("Inner")), [])
    node, failed = await node_of(store, account, slug, "call"), new_execution_id()
    if is_archived:  # the group is gone, and its child is found, as it is in the history
        key = keyspace.execution(account.id, child_execution_id(failed, "call", 0))
        fields = {"slug": inner, "version": 1, "status": "failed"}
    else:
        key = children(account.id, failed, node.index)
        fields = {"slug": inner, "version": 1, "size": 1, "s0": "f", "status": "done"}
        fields |= {"node": "call", "created": 1, "depth": 2, "concurrency": 1, "on_error": "fail"}
    await store.client.send("HSET", key, *(word for pair in fields.items() for word in pair))

    target = await find(store, run_of(account, slug, retry_of=failed), node)

    assert target.version == 1


async def test_a_call_of_a_workflow_that_is_gone_fails_the_node(
    store: Store, account: Account
) -> None:
    inner = await save(store, account, greeting(), "Inner")
    slug = await save(store, account, calling(inner))
    node = await node_of(store, account, slug, "call")
    await store.workflows.delete(account.id, inner, force=True)

    with pytest.raises(NodeFailed) as failed:
        await find(store, run_of(account, slug), node)

    assert failed.value.code == "workflow_not_found"
    assert inner in failed.value.message
