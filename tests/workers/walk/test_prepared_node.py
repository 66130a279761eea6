"""A node is prepared while its claim is being recorded, and calls nobody before that."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from engine.executions.execution import ExecutionStatus, NodeStatus
from engine.store import Store
from engine.store.executions.claims import Lease
from engine.store.executions.steps import Step
from engine.store.executions.walks import Advanced, Walks
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, http_line
from tests.support.http.scripted_server import Target
from workers.walk import walk

pytestmark = pytest.mark.usefixtures("walker")

Around = Callable[[Lease, Step, Awaitable[Advanced]], Awaitable[Advanced]]


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Nodes that were prepared."""
    found: list[Any] = []

    class Noted(walk.PreparedNode):
        __slots__ = ()

        def __init__(self, work: Any) -> None:
            super().__init__(work)
            found.append(self)

    monkeypatch.setattr(walk, "PreparedNode", Noted)
    return found


def replace_advance(monkeypatch: pytest.MonkeyPatch, around: Around) -> None:
    """Let steps with claims be recorded by `around`."""
    advance = Walks.advance

    def replaced(walks: Walks, lease: Lease, number: int, step: Step) -> Awaitable[Advanced]:
        async def recorded() -> Advanced:
            return await advance(walks, lease, number, step)

        return around(lease, step, recorded()) if step.claimed else recorded()

    monkeypatch.setattr(Walks, "advance", replaced)


async def test_each_call_in_a_line_is_prepared(
    runner: Runner, target: Target, prepared: list[Any]
) -> None:
    execution = await runner.run(http_line(f"{target.url}/echo", 3))

    assert execution.result == {"n": 2, "kind": "echo"}
    assert [node.attempts for node in execution.nodes] == [1, 1, 1, 1]
    assert (len(prepared), target.calls.total()) == (3, 3)


async def test_no_call_goes_out_before_its_claim_is_on_record(
    runner: Runner, target: Target, prepared: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    may_answer = asyncio.Event()

    async def late(_: Lease, __: Step, recorded: Awaitable[Advanced]) -> Advanced:
        await may_answer.wait()
        return await recorded

    replace_advance(monkeypatch, late)
    execution_id = await runner.begin(await runner.save(http_line(f"{target.url}/echo", 1)))
    await eventually(lambda: _return(prepared))
    await asyncio.sleep(0.1)
    assert target.calls.total() == 0
    execution = await runner.store.executions.get(runner.account.id, execution_id)
    assert execution.nodes[0].status is NodeStatus.PENDING

    may_answer.set()

    execution = await runner.end(execution_id)
    assert execution.status is ExecutionStatus.COMPLETED
    assert target.calls.total() == 1


async def test_no_prepared_node_calls_after_a_cancel(
    store: Store,
    runner: Runner,
    target: Target,
    prepared: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def cancelled(lease: Lease, _: Step, recorded: Awaitable[Advanced]) -> Advanced:
        await store.executions.cancel(lease.account_id, lease.execution_id)
        return await recorded

    replace_advance(monkeypatch, cancelled)

    execution = await runner.run(http_line(f"{target.url}/echo", 1))

    assert execution.status is ExecutionStatus.CANCELLED
    assert (len(prepared), target.calls.total()) == (1, 0)


async def test_a_prepared_node_whose_claim_is_refused_runs_where_it_is_claimed_again(
    store: Store,
    runner: Runner,
    target: Target,
    prepared: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def taken_away(lease: Lease, _: Step, recorded: Awaitable[Advanced]) -> Advanced:
        if len(prepared) == 1:
            await store.walks.give_back(lease.reference, lease.worker_id, is_lost=False)
        return await recorded

    replace_advance(monkeypatch, taken_away)

    execution = await runner.run(http_line(f"{target.url}/echo", 1))

    assert execution.status is ExecutionStatus.COMPLETED
    assert (len(prepared), target.calls.total()) == (2, 1)


async def test_a_node_that_fails_while_it_is_prepared_is_claimed_and_fails(
    runner: Runner, prepared: list[Any]
) -> None:
    graph = Graph("where").node("h", "httpRequest", url="{{ where }}")
    graph.node("out", "responseOutput").wire("in.where > h.where", "h.response-out > out.result-in")

    execution = await runner.run(graph, {"where": "http://example.com:99999/"})

    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert execution.error["nodeCode"] == "url_blocked"
    assert (execution.nodes[1].attempts, len(prepared)) == (1, 1)


@pytest.mark.parametrize(
    "data",
    [{"each": True}, {"timeoutSeconds": 30}],
    ids=["calls for each item", "time limit of the node"],
)
async def test_others_begin_after_their_claim(
    runner: Runner, target: Target, prepared: list[Any], data: dict[str, Any]
) -> None:
    graph = Graph().node("l", "list", items=[{"value": 1}]).node("out", "responseOutput")
    graph.node("h", "httpRequest", url=f"{target.url}/echo", method="POST", **data)
    graph.wire("l.items-out > h.body-in", "h.response-out > out.result-in")

    execution = await runner.run(graph)

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert target.calls.total() == 1
    assert not prepared


async def _return(value: list[Any]) -> list[Any]:
    return value
