"""No node calls anybody before its claim is on record."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest

from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.store import Store
from engine.store.executions.advance import Advanced, Step
from engine.store.executions.claim import Lease
from engine.store.executions.walks import Walks
from tests.support.factories import Graph, Runner, http_line
from tests.support.http.scripted_server import Target
from workers.nodes.context import NodeContext
from workers.walk import walk

pytestmark = pytest.mark.usefixtures("walker")

Around = Callable[[Lease, Awaitable[Advanced]], Awaitable[Advanced]]


def replace_advance(monkeypatch: pytest.MonkeyPatch, around: Around) -> None:
    """Let steps with claims be recorded by `around`."""
    advance = Walks.advance

    def replaced(walks: Walks, lease: Lease, number: int, step: Step) -> Awaitable[Advanced]:
        async def recorded() -> Advanced:
            return await advance(walks, lease, number, step)

        return around(lease, recorded()) if step.claimed else recorded()

    monkeypatch.setattr(Walks, "advance", replaced)


async def test_no_call_goes_out_before_its_claim_is_on_record(
    runner: Runner, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_asked, may_record = asyncio.Event(), asyncio.Event()

    async def late(_: Lease, recorded: Awaitable[Advanced]) -> Advanced:
        has_asked.set()
        await may_record.wait()
        return await recorded

    replace_advance(monkeypatch, late)
    execution_id = await runner.begin(await runner.save(http_line(f"{target.url}/echo", 1)))
    await has_asked.wait()
    await asyncio.sleep(0.1)
    assert target.calls.total() == 0
    execution = await runner.store.executions.get(runner.account.id, execution_id)
    assert execution.nodes[0].status is NodeStatus.PENDING

    may_record.set()

    execution = await runner.end(execution_id)
    assert execution.status is ExecutionStatus.COMPLETED
    assert target.calls.total() == 1


async def test_no_node_calls_after_a_cancel(
    store: Store, runner: Runner, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled(lease: Lease, recorded: Awaitable[Advanced]) -> Advanced:
        await store.executions.cancel(lease.account_id, lease.execution_id)
        return await recorded

    replace_advance(monkeypatch, cancelled)

    execution = await runner.run(http_line(f"{target.url}/echo", 1))

    assert execution.status is ExecutionStatus.CANCELLED
    assert target.calls.total() == 0


async def test_a_node_whose_claim_is_refused_runs_where_it_is_claimed_again(
    store: Store, runner: Runner, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []

    async def taken_away(lease: Lease, recorded: Awaitable[Advanced]) -> Advanced:
        if not refused:
            refused.append(lease.reference)
            await store.walks.give_back(lease.reference, lease.worker_id, is_lost=False)
        return await recorded

    replace_advance(monkeypatch, taken_away)

    execution = await runner.run(http_line(f"{target.url}/echo", 1))

    assert execution.status is ExecutionStatus.COMPLETED
    assert target.calls.total() == 1


async def test_nodes_that_run_here_are_claimed_before_others_may_help(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, has_asked = asyncio.Event(), asyncio.Event()
    evaluated: list[str] = []
    asked: list[Sequence[int]] = []
    advance = Walks.advance

    async def evaluate(_: NodeContext, expression: str, __: Mapping[str, Any]) -> Any:
        evaluated.append(expression)
        if expression == "'slow'":
            await may_end.wait()
        return expression

    def noted(walks: Walks, lease: Lease, number: int, step: Step) -> Awaitable[Advanced]:
        if step.shares_work and not asked:
            asked.append(step.claimed)
            has_asked.set()
        return advance(walks, lease, number, step)

    monkeypatch.setattr(NodeContext, "evaluate", evaluate)
    monkeypatch.setattr(Walks, "advance", noted)
    monkeypatch.setattr(walk, "SHARE_SECONDS", -1.0)
    graph = Graph("who").node("out", "responseOutput")
    for number, word in enumerate(("slow", "fast", "b", "c", "d", "e")):
        graph.node(f"c{number}", "transform", expression=f"'{word}'")
        graph.wire(f"in.who > c{number}.value-in", f"c{number}.value-out > out.result-in")

    execution_id = await runner.begin(await runner.save(graph), {"who": "Ada"})
    await has_asked.wait()
    may_end.set()
    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert len(evaluated) == 6
    assert len(asked[0]) == 2, "the next node, and the slow one that runs"
