"""Nodes with children in replays: equal ones are recorded, others begin children that are."""

from typing import Any

import pytest

from engine.executions.node_waits import Decision
from engine.executions.replays import ReplayCalls
from engine.executions.statuses import ExecutionStatus
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.graphs.nested import body_of
from tests.support.http.scripted_server import Target
from tests.support.replays.replayed_runs import LIVE, RECORDED, accept_replay, code_of
from tests.support.waits.answers import answer

pytestmark = pytest.mark.usefixtures("walker")
COMPLETED, FAILED = ExecutionStatus.COMPLETED, ExecutionStatus.FAILED


def calling(url: str, text: str = "{{ a }}") -> Graph:
    """Return a body: a call with its item, and a text with the answer."""
    body = Graph("row").node("call", "httpRequest", method="POST", url=f"{url}/echo")
    body.node("text", "textBox", text=text).node("out", "responseOutput")
    return body.wire(
        *("in.row > call.body-in", "call.response-out > text.a", "text.text-out > out.result-in")
    )


def each(body: Graph, items: int = 3, **data: Any) -> Graph:
    """Return a graph that runs the body for each item."""
    listed = [{"value": f"item {number}"} for number in range(items)]
    graph = Graph().node("rows", "list", items=listed)
    graph.node("each", "forEach", body=body_of(body), **data).node("out", "responseOutput")
    return graph.wire("rows.items-out > each.row", "each.results-out > out.result-in")


async def replayed(
    runner: Runner, former: Any, graph: Graph | int, calls: ReplayCalls = RECORDED
) -> Any:
    channel, store = runner.notifier.channel, runner.store
    new_id = await accept_replay(store, runner.account, former, graph, calls, notifier=channel)
    return await runner.end(new_id)


async def count_children(runner: Runner, execution_id: str) -> int:
    record = await runner.store.walks.records(runner.account.id, execution_id)
    return len(record.get("groups", b""))


async def test_an_equal_node_begins_no_children(runner: Runner, target: Target) -> None:
    former = await runner.run(each(calling(target.url)))

    ended = await replayed(runner, former, each(calling(target.url)))

    assert (ended.status, ended.result) == (COMPLETED, former.result)
    assert target.calls.total() == 3
    assert await count_children(runner, ended.id) == 0


async def test_children_of_a_changed_body_take_recorded_outcomes(
    runner: Runner, target: Target
) -> None:
    former = await runner.run(each(calling(target.url)))

    ended = await replayed(runner, former, each(calling(target.url, "Got {{ a.kind }}")))

    assert ended.error is None
    assert ended.result == ["Got echo"] * 3
    assert (target.calls.total(), ended.credits_cost) == (3, 0)


@pytest.mark.parametrize("on_error", ["fail", "null", "skip"])
async def test_a_child_without_a_recorded_outcome_ends_the_run(
    runner: Runner, target: Target, on_error: str
) -> None:
    former = await runner.run(each(calling(target.url)))
    before = target.calls.total()

    ended = await replayed(
        runner,
        former,
        each(calling(target.url + "/other"), onItemError=on_error, onError="continue"),
    )

    assert (ended.status, code_of(ended)) == (FAILED, "replay_unmatched")
    assert ended.error is not None and ended.error["nodeId"] == "each"
    assert target.calls.total() == before


async def test_an_item_that_is_new_is_unmatched(runner: Runner, target: Target) -> None:
    former = await runner.run(each(calling(target.url), items=2))

    ended = await replayed(runner, former, each(calling(target.url), items=3))

    assert code_of(ended) == "replay_unmatched"
    assert target.calls.total() == 2


async def test_bodies_within_bodies_take_recorded_outcomes(runner: Runner, target: Target) -> None:
    def nested(text: str) -> Graph:
        inner = Graph("row").node("pair", "list", items=[{"value": "a"}, {"value": "b"}])
        inner.node("in-text", "textBox", text="{{ row }}").wire("in.row > in-text.row")
        inner.node("each", "forEach", body=body_of(calling(target.url, text)))
        inner.node("out", "responseOutput", fields=[{"name": "all"}, {"name": "row"}])
        inner.wire("pair.items-out > each.row", "each.results-out > out.all")
        return each(inner.wire("in-text.text-out > out.row"), items=2)

    former = await runner.run(nested("{{ a }}"))

    ended = await replayed(runner, former, nested("Got {{ a.kind }}"))

    assert ended.error is None
    assert [row["all"] for row in ended.result] == [["Got echo"] * 2] * 2
    assert target.calls.total() == 4


async def test_a_called_workflow_takes_recorded_outcomes(runner: Runner, target: Target) -> None:
    callee = await runner.save(calling(target.url))

    def calls(greeting: str, **data: Any) -> Graph:
        graph = Graph("who").node("text", "textBox", text="{{ who }}")
        graph.node("sub", "subWorkflow", workflow=callee, **data)
        graph.node("last", "textBox", text=greeting).node("out", "responseOutput")
        return graph.wire(
            *("in.who > text.who", "text.text-out > sub.row", "sub.result-out > last.a"),
            "last.text-out > out.result-in",
        )

    former = await runner.run(calls("{{ a }}"), {"who": "Ada"})

    ended = await replayed(runner, former, calls("Dear {{ a }}", version=1))

    assert ended.error is None
    assert ended.result["text"].startswith("Dear")
    assert target.calls.total() == 1


async def test_large_outcomes_of_children_are_read_from_the_root(
    runner: Runner, target: Target
) -> None:
    def large(text: str) -> Graph:
        url = f"{target.url}/large/300000"
        body = Graph("row").node("call", "httpRequest", method="POST", url=url)
        body.node("text", "textBox", text=text).node("out", "responseOutput")
        body.wire("in.row > call.body-in", "call.response-out > text.a")
        body.wire("text.text-out > out.result-in")
        return each(body, items=2)

    former = await runner.run(large("{{ a }}"))

    ended = await replayed(runner, former, large("{{ a }}!"))

    assert ended.error is None
    assert [text[-2:] for text in ended.result] == ["x!"] * 2
    assert target.calls.total() == 2


@pytest.mark.parametrize("calls", [RECORDED, LIVE])
async def test_children_wait_for_nobody(runner: Runner, calls: ReplayCalls) -> None:
    def asking(text: str) -> Graph:
        body = Graph("row").node("wait", "delay", seconds=1).node("ask", "approval", title="Ok?")
        body.node("text", "textBox", text=text).node("out", "responseOutput")
        body.wire("in.row > wait.value-in", "wait.value-out > ask.value-in")
        body.wire("ask.approved-out > text.a", "text.text-out > out.result-in")
        return each(body, items=2)

    store, account_id = runner.store, runner.account.id
    execution_id = await runner.begin(await runner.save(asking("{{ a }}")))

    async def asked() -> Any:
        waits = await store.node_waits.of_children(account_id, execution_id)
        approvals = [each for each in waits if each.kind == "approval"]
        return approvals if len(approvals) == 2 else None

    for wait in await eventually(asked):
        await answer(store, wait, Decision.APPROVE)
    former = await runner.end(execution_id)

    ended = await replayed(runner, former, asking("Yes: {{ a }}"), calls)

    assert ended.error is None
    assert ended.result == ["Yes: item 0", "Yes: item 1"]
