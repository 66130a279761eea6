"""Faults of Headrace during a walk: no execution stays held without a walk."""

import asyncio
import errno
from typing import Any

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.executions.walks import Walks
from engine.store.redis import keyspace
from engine.store.redis.errors import StoreFault
from tests.support.eventually import eventually
from tests.support.factories import Runner, greeting
from tests.support.workers.held_walker import WORKER, HeldWalker, begin_waiting
from workers.walk.attempt import Attempts
from workers.walk.walk import Walk

REFUSED = StoreFault("Redis refused a command: WRONGTYPE")
NO_FILES = OSError(errno.EMFILE, "Too many open files")


def refuse(monkeypatch: pytest.MonkeyPatch, kind: type, name: str, *errors: BaseException) -> None:
    """Make the first calls of a method raise."""
    real, left = getattr(kind, name), list(errors)

    async def call(*args: Any, **options: Any) -> Any:
        if left:
            raise left.pop(0)
        return await real(*args, **options)

    monkeypatch.setattr(kind, name, call)


async def due_in(store: Store, runner: Runner, reference: str) -> float | None:
    """Return the seconds until a hint is due."""
    key = keyspace.due(partition_of(runner.account.id))
    at = await store.client.send("ZSCORE", key, reference)
    return None if at is None else (int(at) - await store.leases.now()) / 1_000


async def begin(runner: Runner) -> str:
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"})
    return keyspace.reference(runner.account.id, execution_id)


async def is_free(held_walker: HeldWalker, times: int = 1) -> bool:
    async def released() -> bool:
        return held_walker.released == times

    return await eventually(released)


@pytest.mark.parametrize(
    ("kind", "name", "error"),
    [
        pytest.param(Walks, "advance", REFUSED, id="by the store"),
        pytest.param(Walk, "run", NO_FILES, id="by the machine", marks=pytest.mark.F42),
    ],
)
async def test_an_execution_whose_step_is_refused_is_given_back_for_later(
    runner: Runner,
    held_walker: HeldWalker,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    kind: type,
    name: str,
    error: Exception,
) -> None:
    reference = await begin(runner)
    refuse(monkeypatch, kind, name, error)

    held_walker.walker.take_hint(reference)
    await is_free(held_walker)
    pause = await due_in(store, runner, reference)
    held = await store.leases.held(WORKER)
    held_walker.walker.take_hint(reference)
    execution = await runner.end(keyspace.parse_reference(reference)[1])

    assert held == []
    assert pause is not None
    assert 0 < pause <= 0.5
    assert execution.result == {"text": "Hello Ada"}


async def test_an_execution_whose_steps_are_always_refused_is_not_walked_again_and_again_at_once(
    runner: Runner, held_walker: HeldWalker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await begin(runner)
    refuse(monkeypatch, Walks, "advance", *[REFUSED] * 100)

    for turn in range(8):
        held_walker.walker.take_hint(reference)
        await is_free(held_walker, turn + 1)

    pause = await due_in(store, runner, reference)
    assert pause is not None
    assert pause > 50
    assert await store.leases.held(WORKER) == []


async def test_an_execution_that_cannot_even_be_failed_is_given_back(
    runner: Runner, held_walker: HeldWalker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await begin(runner)
    refuse(monkeypatch, Walk, "run", ArithmeticError("a bug"))
    refuse(monkeypatch, Walks, "advance", REFUSED)

    held_walker.walker.take_hint(reference)
    await is_free(held_walker)

    assert await store.leases.held(WORKER) == []
    assert await due_in(store, runner, reference) is not None


async def test_an_execution_that_cannot_be_claimed_stays_due(
    runner: Runner,
    held_walker: HeldWalker,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    reference = await begin(runner)
    refuse(monkeypatch, Walks, "claim", REFUSED)

    held_walker.walker.take_hint(reference)
    await is_free(held_walker)

    assert await due_in(store, runner, reference) is not None
    assert [record.message for record in caplog.records] == ["a walk broke off"]


@pytest.mark.parametrize("error", [ArithmeticError("a bug"), asyncio.CancelledError()])
async def test_an_execution_fails_when_the_task_of_a_node_breaks_off(
    error: BaseException,
    runner: Runner,
    held_walker: HeldWalker,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = Attempts.run

    async def run(attempts: Attempts, index: int) -> Any:
        await real(attempts, index)
        raise error

    monkeypatch.setattr(Attempts, "run", run)
    held_walker.gate.opened.set()
    reference = await begin_waiting(runner, held_walker)

    execution = await runner.end(keyspace.parse_reference(reference)[1])

    assert execution.status is ExecutionStatus.FAILED
    assert await store.leases.held(WORKER) == []


async def test_draining_gives_back_the_others_when_one_is_refused(
    runner: Runner, held_walker: HeldWalker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    references = [await begin_waiting(runner, held_walker)]
    held_walker.gate.calls.clear()
    references.append(await begin_waiting(runner, held_walker))
    refuse(monkeypatch, Walks, "give_back", REFUSED)

    await held_walker.walker.drain(0)

    assert len(await store.leases.held(WORKER)) == 1
