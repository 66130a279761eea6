"""A worker that stops: it begins nothing, and leaves its executions to others."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from engine.executions.statuses import NodeStatus
from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.redis import keyspace, process_keys
from tests.support.eventually import eventually
from tests.support.factories import Runner, greeting, http_line
from tests.support.workers.held_walker import WORKER, HeldWalker, begin_waiting, executions_held


async def test_a_hint_that_comes_during_the_drain_goes_back(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"})
    await store.client.send("DEL", process_keys.hints("walk"))

    await held_walker.walker.drain(0)
    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))
    await eventually(store.hints.depth, lambda depth: depth == 1)

    assert (held_walker.released, executions_held(held_walker.walker)) == (1, 0)
    assert await store.leases.held(WORKER) == []


async def test_draining_gives_back_executions_that_do_not_end_in_time(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    reference = await begin_waiting(runner, held_walker)
    await store.client.send("DEL", process_keys.hints("walk"))

    await held_walker.walker.drain(0.05)

    assert await store.leases.held(WORKER) == []
    assert await store.hints.depth() == 1
    assert executions_held(held_walker.walker) == 0
    claimed = await store.walks.claim(reference, "other")
    assert claimed is not None
    assert NodeStatus.RUNNING not in claimed.statuses


async def test_draining_gives_back_any_number_of_executions(
    runner: Runner, held_walker: HeldWalker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.walk.walker.GIVEN_BACK_AT_ONCE", 2)
    slug = await runner.save(http_line("https://example.com/", 1))
    for _ in range(5):
        execution_id = await runner.begin(slug)
        held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))
    await held_walker.gate.called(5)
    await store.client.send("DEL", process_keys.hints("walk"))

    await held_walker.walker.drain(0.05)

    assert await store.leases.held(WORKER) == []
    assert await store.hints.depth() == 5


async def test_draining_hands_over_ready_nodes_though_a_retry_is_far_ahead(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    graph = http_line("https://example.com/", 2)
    graph.node(
        "later", "httpRequest", url="https://example.com/fail", retry={"attempts": 2, "backoff": 60}
    ).wire("later.response-out > out.result-in")
    execution_id = await runner.begin(await runner.save(graph))
    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))
    await eventually(_async(lambda: len(held_walker.gate.calls) == 2))

    draining = asyncio.create_task(held_walker.walker.drain(5))
    held_walker.gate.opened.set()
    await draining

    due = keyspace.due(partition_of(runner.account.id))
    (_, score), *_ = await store.client.send("ZRANGE", due, 0, -1, "WITHSCORES")
    assert score <= await store.leases.now()


async def test_draining_waits_for_no_retry(
    runner: Runner, held_walker: HeldWalker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that goes on waits for a retry that is due soon; one that stops leaves it."""
    monkeypatch.setattr("workers.walk.walk.RETRY_WAIT_SECONDS", 60)
    graph = http_line("https://example.com/fail", 1, retry={"attempts": 2, "backoff": 30})
    execution_id = await runner.begin(await runner.save(graph))
    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))
    await held_walker.gate.called(1)

    await held_walker.walker.drain(10)

    due = keyspace.due(partition_of(runner.account.id))
    [(_, score)] = await store.client.send("ZRANGE", due, 0, -1, "WITHSCORES")
    assert score > await store.leases.now() + 10_000, "it is due when its retry is"


def _async(read: Callable[[], Any]) -> Any:
    async def call() -> Any:
        return read()

    return call
