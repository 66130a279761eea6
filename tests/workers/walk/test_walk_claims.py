"""No node calls anybody before its claim is on record."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.store import Store
from engine.store.executions.advance import Advanced, Step
from engine.store.executions.claim import Lease
from engine.store.executions.walks import Walks
from tests.support.factories import Runner, http_line
from tests.support.http.scripted_server import Target

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
