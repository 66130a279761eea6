"""Graphs that children run: bodies of drafts, of public workflows and of bodies."""

from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.executions.statuses import ExecutionStatus
from engine.graph.body_paths import parse_path
from engine.ids.executions import child_execution_id
from engine.store import Store
from tests.support.factories import Graph, Runner
from tests.support.graphs.nested_graphs import calling, list_field, per_item
from tests.support.http.scripted_server import Target
from tests.support.workers.draft_runs import accept_draft, drafted, write

pytestmark = pytest.mark.usefixtures("walker")


def call(url: str, path: str = "/") -> Graph:
    """A call with the item in its query, which is not pure."""
    body = Graph("row").node("call", "httpRequest", url=f"{url}{path}?n={{{{ row }}}}")
    body.node("out", "responseOutput")
    return body.wire("in.row > call.row", "call.response-out > out.result-in")


def nested(url: str) -> Graph:
    """A For Each of lists, whose body is one of texts, each with a call."""
    inner = Graph().node("in", "requestInput", fields=[list_field("rows")])
    inner.node("each", "forEach", body=per_item_body(call(url))).node("out", "responseOutput")
    inner.wire("in.rows > each.row", "each.results-out > out.result-in")
    return per_item(inner)


def per_item_body(graph: Graph) -> dict[str, Any]:
    return {"nodes": graph.nodes, "edges": graph.edges}


async def run_draft(runner: Runner, graph: Graph, inputs: dict[str, Any]) -> Any:
    slug = await drafted(runner.store, runner.account, graph)
    channel = runner.notifier.channel
    return slug, await accept_draft(runner.store, runner.account, slug, inputs, channel)


async def test_a_draft_runs_its_bodies_as_they_were_when_it_began(
    runner: Runner, target: Target
) -> None:
    slug, execution_id = await run_draft(
        runner, nested(target.url), {"items": [["1", "2"], [], ["3"]]}
    )
    await write(runner.store, runner.account, slug, Graph().node("out", "responseOutput"))

    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    numbers = [[each["n"] for each in row] for row in execution.result["results"]]
    assert numbers == [[1, 2], [], [3]]
    inner_id = child_execution_id(child_execution_id(execution_id, "each", 0), "each", 1)
    record = await runner.store.walks.records(runner.account.id, inner_id)
    assert record["draft_of"] == execution_id.encode()
    assert parse_path(record["body"]) == ("each", "each")


async def test_a_draft_calls_live_versions(runner: Runner, target: Target) -> None:
    inner = Graph("who").node("text", "textBox", text="Live {{ a }}").node("out", "responseOutput")
    inner.wire("in.who > text.a", "text.text-out > out.result-in")
    slug = await runner.save(inner)
    draft = Graph("who").node("text", "textBox", text="Draft {{ a }}").node("out", "responseOutput")
    await write(runner.store, runner.account, slug, draft)

    _, execution_id = await run_draft(runner, calling(slug), {"who": "Ada"})
    execution = await runner.end(execution_id)

    assert execution.result == "Live Ada"


async def test_children_of_a_public_workflow_are_of_its_owner(
    runner: Runner, store: Store, target: Target
) -> None:
    inner = await runner.save(call(target.url))
    graph = Graph("row").node("call", "subWorkflow", workflow=inner).node("out", "responseOutput")
    graph.wire("in.row > call.row", "call.result-out > out.result-in")
    slug = await runner.save(per_item(graph))
    guest = await store.accounts.create(email="guest@example.com", tier=Tier.PRO)
    _, plan = await store.workflows.plan(slug)
    owner, runner.account = runner.account, guest
    execution_id = await runner.begin(slug, {"items": ["1", "2"]})

    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    child_id = child_execution_id(child_execution_id(execution_id, "each", 1), "call", 0)
    record = await store.walks.records(guest.id, child_id)
    assert record["owner"] == owner.id.encode()
    assert record["slug"] == inner.encode()
