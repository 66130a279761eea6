"""Features of graphs that wait until the schema of the store is raised."""

from collections.abc import Iterator

import pytest
import redis

from engine.errors import InvalidGraph
from engine.graph import features
from engine.graph.parsed import Problem
from engine.nodes import catalogue, node_type
from engine.nodes.support.settings import flag
from engine.services.workflows.check_workflow import check_workflow
from engine.services.workflows.publish import create_workflow
from engine.services.workflows.schema_checks import check_schema
from engine.store import Account, Store
from engine.store.redis import installation, keyspace
from engine.store.redis.installation import FIRST_SCHEMA, SCHEMA
from tests.support.eventually import eventually
from tests.support.factories import Graph
from tests.support.graphs.graph_checkers import ANY_URL
from tests.support.graphs.nested import each_row, upper_body
from tests.support.nodes.later_type import LATER, Later, known_later

GATED = SCHEMA + 1


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(installation, "CHECK_SECONDS", 0.02)
    with known_later():
        yield


def set_schema(client: redis.Redis, schema: int) -> None:
    client.hset(keyspace.installation(), "schema", schema)


async def begin_at_first(store: Store, client: redis.Redis) -> None:
    """Set the schema back to that of 0.1.0, and wait until the store has noticed."""
    set_schema(client, FIRST_SCHEMA)
    await store.ping()

    async def allows() -> bool:
        return store.schema.allows(SCHEMA)

    await eventually(allows, lambda allowed: not allowed)


def serving(**data: object) -> Graph:
    graph = Graph("who").node("t", LATER, **data).node("out", "responseOutput")
    return graph.wire("in.who > t.value-in", "t.text-out > out.result-in")


def found(store: Store, graph: Graph) -> list[Problem]:
    body = graph.body()
    return check_schema(store.schema, body["nodes"], body["edges"])


async def test_what_0_1_0_does_not_know_cannot_be_saved_before_migrate(
    store: Store, account: Account, redis_cleaner: redis.Redis
) -> None:
    await begin_at_first(store, redis_cleaner)
    body = serving(milk=True).body()

    with pytest.raises(InvalidGraph) as refusal:
        await create_workflow(store, account.id, body, checker=ANY_URL)
    checked = await check_workflow(
        store, account.id, body["nodes"], body["edges"], markup=1, checker=ANY_URL
    )
    plain = await create_workflow(
        store,
        account.id,
        Graph("a").body()
        | {
            "nodes": [{"id": "o", "type": "responseOutput", "data": {}}],
            "edges": [],
        },
        checker=ANY_URL,
    )
    await store.schema.raise_to_newest()

    async def is_saved() -> bool:
        try:
            await create_workflow(store, account.id, body, checker=ANY_URL)
        except InvalidGraph:
            return False
        return True

    await eventually(is_saved)
    assert {each["nodeId"] for each in refusal.value.context["problems"]} == {"t"}
    assert refusal.value.context["problems"][0]["reason"].startswith(
        f"The node type '{LATER}' must wait: it can be used once the schema of the store is raised:"
        " run `headrace migrate`"
    )
    assert {each.node_id for each in checked.problems} == {"t"}
    assert plain.problems == ()


async def test_a_setting_and_a_choice_that_0_1_0_does_not_know_wait_at_their_node(
    store: Store, redis_cleaner: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begin_at_first(store, redis_cleaner)
    text_box = node_type("textBox")
    assert text_box is not None
    monkeypatch.setattr(
        type(text_box), "members", (*text_box.members, flag("sweet", "Sugar is added."))
    )
    features.known_features.cache_clear()
    features._schema.cache_clear()
    graph = Graph().node("t", "textBox", text="x", sweet=True).node("u", "textBox", text="x")

    [problem] = found(store, graph)

    assert problem.node_id == "t"
    assert problem.reason.startswith("The setting 'sweet' of 'textBox' must wait: ")


async def test_failures_that_branch_wait_for_the_schema(
    store: Store, redis_cleaner: redis.Redis
) -> None:
    graph = Graph().node("t", "textBox", text="x").node("out", "responseOutput")
    graph.node("u", "textBox", text="x", onError="fallback", fallback={"text-out": "y"})
    graph.wire("t.error-out > out.result-in", "u.text-out > out.result-in")
    await store.ping()
    assert found(store, graph) == []
    await begin_at_first(store, redis_cleaner)

    at_setting, at_socket = found(store, graph)

    assert (at_setting.node_id, at_setting.field) == ("u", "fallback")
    assert (at_socket.edge_id, at_socket.reason.split(":")[0]) == (
        "e0", "The socket 'error-out' of 'textBox' must wait",
    )  # fmt: skip


async def test_a_type_and_a_setting_wait_for_the_schema_that_they_name(
    store: Store, redis_cleaner: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.ping()
    assert found(store, serving(milk=True)) == []
    monkeypatch.setattr(installation, "SCHEMA", GATED)
    monkeypatch.setattr(Later, "members", (flag("milk", "Milk.", since_schema=GATED),))

    [at_setting] = found(store, serving(milk=True))
    without_setting = found(store, serving())
    monkeypatch.setattr(Later, "since_schema", GATED)
    [at_type] = found(store, serving())
    monkeypatch.setattr(catalogue, "NODE_TYPES", (Later(),))
    [entry] = catalogue.list_node_types(store.schema.allows)
    set_schema(redis_cleaner, GATED)
    await eventually(lambda: _found_soon(store), lambda problems: problems == [])

    assert (at_setting.node_id, at_setting.field) == ("t", "milk")
    assert without_setting == []
    assert (at_type.node_id, at_type.field) == ("t", None)
    assert entry.unavailable_reason is not None
    [open_entry] = catalogue.list_node_types(store.schema.allows)
    assert open_entry.unavailable_reason is None


async def _found_soon(store: Store) -> list[Problem]:
    return found(store, serving(milk=True))


async def test_bodies_wait_with_the_paths_of_their_nodes(
    store: Store, redis_cleaner: redis.Redis
) -> None:
    body = upper_body().node("u", "textBox", text="x", onError="fallback", fallback={})
    graph = each_row(body.node("call", "subWorkflow", workflow="other"))
    await store.ping()
    assert found(store, graph) == []
    await begin_at_first(store, redis_cleaner)

    places = {problem.path or (problem.node_id,) for problem in found(store, graph)}

    assert places == {("each",), ("each", "u"), ("each", "call")}


async def test_malformed_nodes_are_left_to_the_check_of_the_graph(
    store: Store, redis_cleaner: redis.Redis
) -> None:
    await begin_at_first(store, redis_cleaner)

    assert check_schema(store.schema, [{"type": 3}, {"id": 1}], []) == []


async def test_a_socket_that_0_1_0_does_not_know_waits_at_its_edge(
    store: Store, redis_cleaner: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begin_at_first(store, redis_cleaner)
    of_0_1_0 = features.base_features() - {"textBox>text-out"}
    monkeypatch.setattr(features, "base_features", lambda: of_0_1_0)
    graph = Graph().node("t", "textBox", text="x").node("out", "responseOutput")

    [problem] = found(store, graph.wire("t.text-out > out.result-in"))

    assert (problem.node_id, problem.edge_id) == (None, graph.body()["edges"][0]["id"])
    assert problem.reason.startswith("The socket 'text-out' of 'textBox' must wait: ")
