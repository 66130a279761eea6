"""A worker that stops: it begins nothing more, and leaves what it holds to others."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from engine.executions.execution import NodeStatus
from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.factories import Runner, greeting, http_line
from tests.support.workers.held_walker import WORKER, Hands, begin_waiting, held


async def test_a_hint_that_comes_during_the_drain_goes_back(
    runner: Runner, hands: Hands, store: Store
) -> None:
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"})
    await store.client.send("DEL", keyspace.hints("walk"))

    await hands.walker.drain(0)
    hands.walker.take(keyspace.reference(runner.account.id, execution_id))
    await eventually(store.hints.depth, lambda depth: depth == 1)

    assert (hands.released, held(hands.walker)) == (1, 0)
    assert await store.leases.held(WORKER) == []


async def test_draining_gives_back_what_does_not_end_in_time(
    runner: Runner, hands: Hands, store: Store
) -> None:
    reference = await begin_waiting(runner, hands)
    await store.client.send("DEL", keyspace.hints("walk"))

    await hands.walker.drain(0.05)

    assert await store.leases.held(WORKER) == []
    assert await store.hints.depth() == 1
    assert held(hands.walker) == 0
    claimed = await store.walks.claim(reference, "other")
    assert claimed is not None
    assert NodeStatus.RUNNING not in claimed.statuses


async def test_draining_hands_over_what_is_ready_though_a_retry_is_far_ahead(
    runner: Runner, hands: Hands, store: Store
) -> None:
    graph = http_line("https://example.com/", 2)
    graph.node(
        "later", "httpRequest", url="https://example.com/fail", retry={"attempts": 2, "backoff": 60}
    ).wire("later.response-out > out.result-in")
    execution_id = await runner.begin(await runner.save(graph))
    hands.walker.take(keyspace.reference(runner.account.id, execution_id))
    await eventually(_async(lambda: len(hands.gate.calls) == 2))

    draining = asyncio.create_task(hands.walker.drain(5))
    hands.gate.opened.set()
    await draining

    due = keyspace.due(partition_of(runner.account.id))
    (_, score), *_ = await store.client.send("ZRANGE", due, 0, -1, "WITHSCORES")
    assert score <= await store.leases.now()


async def test_draining_waits_for_no_retry(
    runner: Runner, hands: Hands, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that goes on waits for a retry that is due soon; one that stops leaves it."""
    monkeypatch.setattr("workers.walk.walk.HOLD_SECONDS", 60)
    graph = http_line("https://example.com/fail", 1, retry={"attempts": 2, "backoff": 30})
    execution_id = await runner.begin(await runner.save(graph))
    hands.walker.take(keyspace.reference(runner.account.id, execution_id))
    await hands.gate.called(1)

    await hands.walker.drain(10)

    due = keyspace.due(partition_of(runner.account.id))
    [(_, score)] = await store.client.send("ZRANGE", due, 0, -1, "WITHSCORES")
    assert score > await store.leases.now() + 10_000, "it is due when its retry is"


def _async(read: Callable[[], Any]) -> Any:
    async def call() -> Any:
        return read()

    return call
