"""Plans of children, of saved versions and of drafts."""

import pytest

from engine.errors import WorkflowNotFound
from engine.graph.body_paths import body_at
from engine.graph.document import parse_document
from engine.graph.draft_graph import DraftGraph
from engine.services.runs.child_plans import ChildPlans
from engine.store import Account, Store
from engine.store.children.records import GroupTarget
from engine.store.executions.start import draft_fields
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.support.factories import Graph, greeting
from tests.support.graphs.nested_graphs import per_item


async def save(store: Store, account: Account, graph: Graph) -> str:
    document = parse_document(graph.body())
    return (await store.workflows.create(account.id, document, [])).slug


async def test_a_body_is_found_by_the_nodes_around_it(store: Store, account: Account) -> None:
    slug = await save(store, account, per_item(per_item(greeting(3))))
    target = GroupTarget(slug=slug, version=1, body=("each", "each"))

    found = await ChildPlans(store).find(account.id, target)

    assert [name.id for name in found.plan.names] == [
        name.id for name in DraftGraph(**parts(greeting(3))).compile().names
    ]
    assert found.workflow is not None
    assert found.workflow.slug == slug


async def test_without_a_body_the_whole_version_is_found(store: Store, account: Account) -> None:
    slug = await save(store, account, greeting(2))

    found = await ChildPlans(store).find(account.id, GroupTarget(slug=slug, version=1))

    assert len(found.plan.nodes) == 4


@pytest.mark.parametrize(
    ("version", "body"), [(2, ()), (1, ("nowhere",)), (1, ("in",)), (1, ("each", "each"))]
)
async def test_a_version_or_a_body_that_is_not_there_is_no_plan(
    store: Store, account: Account, version: int, body: tuple[str, ...]
) -> None:
    slug = await save(store, account, per_item(greeting()))

    with pytest.raises(WorkflowNotFound):
        target = GroupTarget(slug=slug, version=version, body=body)
        await ChildPlans(store).find(account.id, target)


async def test_the_body_of_a_draft_is_compiled_once(store: Store, account: Account) -> None:
    graph = DraftGraph(**parts(per_item(greeting())))
    fields = draft_fields(pack(graph.as_record()), graph.compile().names)
    key = keyspace.execution(account.id, "the-run")
    await store.client.send("HSET", key, *(word for pair in fields.items() for word in pair))
    plans, target = ChildPlans(store), GroupTarget(slug="s", version=0, draft_of="the-run")

    found = await plans.find(account.id, target)
    await store.client.send("DEL", key)
    again = await plans.find(account.id, target)

    body = body_at(found.plan, ("each",))
    assert body is not None
    assert body.request_input is not None
    assert again.plan is found.plan
    assert found.workflow is None
    with pytest.raises(WorkflowNotFound):
        await ChildPlans(store).find(account.id, target)


def parts(graph: Graph) -> dict[str, list[dict[str, object]]]:
    return {"nodes": graph.nodes, "edges": graph.edges}
