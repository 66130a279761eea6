"""Plans and names of executions on record: of versions, of drafts, and of bodies in both."""

from typing import Any

from engine.graph.body_paths import format_path
from engine.graph.draft_graph import DraftGraph
from engine.services.runs.node_values import read_node
from engine.services.runs.recorded_plans import read_child_names, read_plan
from engine.store import Account, Store
from engine.store.executions.start import draft_fields
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.engine.services.runs.test_child_plans import parts, save
from tests.support.factories import greeting
from tests.support.graphs.nested_graphs import per_item

PARENT = "11111111-1111-4111-8111-111111111111"
CHILD = "22222222-2222-4222-8222-222222222222"
BODY_NAMES = DraftGraph(**parts(greeting(3))).compile().names


async def put(store: Store, account: Account, name: str, **fields: Any) -> dict[str, bytes]:
    """Write the record of an execution and return it."""
    known = {"status": "processing", "created": 1, "statuses": "p" * len(BODY_NAMES), **fields}
    key = keyspace.execution(account.id, name)
    await store.client.send("HSET", key, *(word for pair in known.items() for word in pair))
    return await store.executions.record(account.id, name)


def child(slug: str, **fields: Any) -> dict[str, Any]:
    """Return the fields of a child whose body lies in two others."""
    place = {"parent": PARENT, "parent_node_id": "each", "child": 0, "root": PARENT, "depth": 3}
    return {"slug": slug, "body": format_path(("each", "each")), **place, **fields}


async def test_the_body_of_a_version_is_the_plan_of_a_child(store: Store, account: Account) -> None:
    slug = await save(store, account, per_item(per_item(greeting(3))))
    record = await put(store, account, CHILD, **child(slug, version=1))

    plan = await read_plan(store, account.id, CHILD, record)

    assert plan is not None
    assert plan.names == BODY_NAMES
    assert await read_child_names(store, account.id, CHILD) == BODY_NAMES
    node = await read_node(store, account.id, CHILD, BODY_NAMES[-1].id)
    assert node.node.index == len(BODY_NAMES) - 1


async def test_the_body_of_a_draft_is_found_on_the_record_of_its_root(
    store: Store, account: Account
) -> None:
    graph = DraftGraph(**parts(per_item(per_item(greeting(3)))))
    draft = draft_fields(pack(graph.as_record()), graph.compile().names)
    await put(store, account, PARENT, slug="s", version=0, **draft)
    record = await put(store, account, CHILD, **child("s", version=0, draft_of=PARENT))

    plan = await read_plan(store, account.id, CHILD, record)

    assert plan is not None
    assert plan.names == BODY_NAMES
    assert await read_child_names(store, account.id, CHILD) == BODY_NAMES


async def test_a_child_of_a_whole_version_has_the_names_of_that(
    store: Store, account: Account
) -> None:
    slug = await save(store, account, greeting(3))
    fields = child(slug, version=1)
    del fields["body"]
    record = await put(store, account, CHILD, **fields)

    plan = await read_plan(store, account.id, CHILD, record)

    assert plan is not None
    assert plan.names == BODY_NAMES
    assert await read_child_names(store, account.id, CHILD) is None


async def test_plans_that_are_gone_are_none(store: Store, account: Account) -> None:
    slug = await save(store, account, per_item(greeting()))
    gone = [
        child(slug, version=1),  # a body deeper than there is
        child(slug, version=2),
        child("s", version=0, draft_of=PARENT),
    ]
    for fields in gone:
        await store.client.send("DEL", keyspace.execution(account.id, CHILD))
        record = await put(store, account, CHILD, **fields)
        assert await read_plan(store, account.id, CHILD, record) is None
        assert await read_child_names(store, account.id, CHILD) == ()
