"""Walkers of one execution when one of them dies, pauses or is quicker."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.executions.rows import NodeRow
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.store import Store
from engine.store.executions.advance import Advanced, Step
from engine.store.executions.claim import ClaimedExecution, Lease
from engine.store.executions.walks import Walks
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, http_fan
from tests.support.store.records import SECOND_DONE
from tests.support.workers.held_walker import HeldWalker

OTHER = "worker-2"


class SlowPool:
    """Gives `result` once it is opened."""

    def __init__(self) -> None:
        self.calls = 0
        self.opened = asyncio.Event()

    async def run(self, *args: object, **options: object) -> Any:
        self.calls += 1
        await self.opened.wait()
        return "result"


def count_calls(monkeypatch: pytest.MonkeyPatch, calls: Counter[str]) -> None:
    """Count the calls of the store by walks from now on."""

    def counted(name: str, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any) -> Any:
            calls[name] += 1
            return await real(*args)

        return call

    for name in ("advance", "records"):
        monkeypatch.setattr(Walks, name, counted(name, getattr(Walks, name)))


def lose_first_replies_to_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lose the reply to each step with claims; the repeated step gets one."""
    real, sent = Walks.advance, set[tuple[str, int]]()

    async def advance_unheard(walks: Walks, lease: Lease, number: int, step: Step) -> Advanced:
        advanced = await real(walks, lease, number, step)
        if step.claimed and (lease.name, number) not in sent:
            sent.add((lease.name, number))
            raise Unavailable("The reply is lost")
        return advanced

    monkeypatch.setattr(Walks, "advance", advance_unheard)


async def advance(store: Store, claimed: ClaimedExecution, number: int, step: Step) -> None:
    await store.walks.advance(claimed.lease, number, step)


async def share(runner: Runner, held_walker: HeldWalker) -> ClaimedExecution:
    """Begin the first of two calls as another worker, and the second as this one."""
    execution_id = await runner.begin(await runner.save(http_fan("https://example.com/", 2)))
    reference = keyspace.reference(runner.account.id, execution_id)
    claimed = await runner.store.walks.claim(reference, OTHER)
    assert claimed is not None
    await advance(runner.store, claimed, 1, Step(claimed=[0], shares_work=True))
    held_walker.walker.take_hint(reference)
    await held_walker.gate.called(1)
    assert "n=1" in held_walker.gate.calls[0]
    return claimed


async def test_a_dead_walkers_node_is_begun_by_the_other_walker(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    claimed = await share(runner, held_walker)

    await store.walks.give_back(claimed.reference, OTHER, is_lost=True)
    held_walker.walker.take_hint(claimed.reference)
    await held_walker.gate.called(2)
    held_walker.gate.opened.set()
    execution = await runner.end(claimed.execution_id)

    assert "n=0" in held_walker.gate.calls[1]
    assert [node.attempts for node in execution.nodes] == [2, 1, 1]


async def test_a_retry_that_another_walker_left_is_taken_over_when_it_is_due(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    claimed = await share(runner, held_walker)

    await advance(store, claimed, 2, Step(retrying=[(0, 50)], leave=True))
    held_walker.walker.take_hint(claimed.reference)
    await held_walker.gate.called(2)
    held_walker.gate.opened.set()
    execution = await runner.end(claimed.execution_id)

    assert "n=0" in held_walker.gate.calls[1]
    assert execution.nodes[0].attempts == 2


async def test_a_retry_that_another_walker_left_is_taken_over_once_however_often_one_looks(
    runner: Runner,
    held_walker: HeldWalker,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls: Counter[str] = Counter()
    count_calls(monkeypatch, calls)
    claimed = await share(runner, held_walker)

    await advance(store, claimed, 2, Step(retrying=[(0, 500)], leave=True))
    for _ in range(3):
        before = calls["advance"]
        held_walker.walker.take_hint(claimed.reference)
        await eventually(_async(lambda before=before: calls["advance"] > before))
    await held_walker.gate.called(2)
    held_walker.gate.opened.set()
    execution = await runner.end(claimed.execution_id)

    assert execution.nodes[0].attempts == 2
    assert calls["records"] == 1, "the record is read once, when the retry is taken over"
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_node_finished_by_another_walker_is_not_begun_again(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    claimed = await share(runner, held_walker)

    outputs = pack({"response-out": "theirs", "status-out": 200})
    row = NodeRow(0, 1, claimed.now, 1, None, outputs)
    await advance(
        store, claimed, 2, Step(settled=[(0, NodeStatus.COMPLETED)], rows=[row], leave=True)
    )
    held_walker.gate.opened.set()
    execution = await runner.end(claimed.execution_id)

    assert execution.result == {"values": ["theirs", "done"]}
    assert len(held_walker.gate.calls) == 1


async def test_a_node_begun_by_another_walker_is_waited_for_without_haste(
    runner: Runner, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, calls = SlowPool(), Counter[str]()
    held_walker = HeldWalker(store, pool)
    count_calls(monkeypatch, calls)
    graph = Graph("who").node("size", "transform", expression="value").node("out", "responseOutput")
    graph.wire("in.who > size.value-in", "size.value-out > out.result-in")
    execution_id = await runner.begin(await runner.save(graph), {"who": "Ada"})
    reference = keyspace.reference(runner.account.id, execution_id)
    held_walker.walker.take_hint(reference)
    await eventually(_async(lambda: pool.calls == 1))
    key = keyspace.execution(runner.account.id, execution_id)
    await store.client.send("HSET", key, "shares_work", "1")
    claimed = await store.walks.claim(reference, OTHER)
    assert claimed is not None
    await advance(store, claimed, 1, Step(claimed=[1]))

    pool.opened.set()
    await asyncio.sleep(0.3)
    assert 1 < calls["advance"] < 12
    row = NodeRow(1, 1, claimed.now, 1, None, pack({"value-out": "result"}))
    await advance(store, claimed, 2, Step(settled=SECOND_DONE, rows=[row], leave=True))
    execution = await runner.end(execution_id)

    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.result == "result"
    await held_walker.walker.drain(0)


async def test_a_shared_walk_goes_on_though_replies_to_its_steps_are_lost(
    runner: Runner, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pool = SlowPool()
    held_walker = HeldWalker(store, pool)
    pool.opened.set()
    graph = Graph("who").node("out", "responseOutput")
    for name in ("a", "b", "c"):
        graph.node(name, "transform", expression="value")
        graph.wire(f"in.who > {name}.value-in", f"{name}.value-out > out.result-in")
    execution_id = await runner.begin(await runner.save(graph), {"who": "Ada"})
    reference = keyspace.reference(runner.account.id, execution_id)
    claimed = await store.walks.claim(reference, OTHER)
    assert claimed is not None
    await advance(store, claimed, 1, Step(shares_work=True))
    lose_first_replies_to_claims(monkeypatch)
    held_walker.walker.take_hint(reference)
    execution = await runner.end(execution_id)

    assert execution.result == {"values": ["result"] * 3}
    assert pool.calls == 3
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
    await held_walker.walker.drain(0)


def _async(read: Callable[[], Any]) -> Any:
    async def call() -> Any:
        return read()

    return call


async def test_an_execution_whose_record_is_gone_is_let_go_without_a_fault(
    runner: Runner,
    held_walker: HeldWalker,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    claimed = await share(runner, held_walker)

    async def remove_and_read(walks: Walks, account_id: str, execution_id: str) -> dict[str, bytes]:
        await store.client.send("DEL", keyspace.execution(account_id, execution_id))
        return {}

    monkeypatch.setattr(Walks, "records", remove_and_read)
    await advance(store, claimed, 2, Step(settled=[(0, NodeStatus.COMPLETED)]))
    held_walker.walker.take_hint(claimed.reference)

    async def has_task() -> bool:
        return held_walker.walker.has_task(claimed.reference)

    await eventually(has_task, lambda found: not found)
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == []
