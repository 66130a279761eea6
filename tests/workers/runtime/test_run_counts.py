"""Counts of executions that began and ended at a real walker."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from engine.store import Store
from engine.store.dispatch.hints import BULK_QUEUE
from engine.store.redis import keyspace
from engine.telemetry.metrics import REGISTRY
from tests.support.eventually import eventually
from tests.support.factories import Runner, http_fan
from tests.support.workers.held_walker import WORKER, HeldWalker, begin_waiting, executions_held

ENDED = "headrace_executions_ended_total"
SECONDS = "headrace_execution_seconds"
WAIT = "headrace_hint_wait_seconds"


class Growth:
    """Growth of samples since the beginning of a test."""

    def __init__(self) -> None:
        self._before = self._read()

    def of(self, name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return self._read().get(key, 0) - self._before.get(key, 0)

    @staticmethod
    def _read() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in REGISTRY.collect()
            for sample in family.samples
        }


@pytest.fixture
def growth() -> Growth:
    return Growth()


async def finish(runner: Runner, walker: HeldWalker, url: str = "https://example.com/") -> None:
    """Walk an execution with a call, which waits for a tenth of a second, to its end."""
    execution_id = await runner.begin(await runner.save(http_fan(url, 1)))
    await asyncio.sleep(0.1)
    walker.gate.opened.set()
    walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))
    await runner.end(execution_id)
    await eventually(_idle(walker))


def _idle(walker: HeldWalker) -> Callable[[], Awaitable[bool]]:
    async def is_idle() -> bool:
        return executions_held(walker.walker) == 0

    return is_idle


async def test_a_completed_execution_has_its_time_from_acceptance_on(
    runner: Runner, held_walker: HeldWalker, growth: Growth
) -> None:
    await finish(runner, held_walker)

    assert growth.of(ENDED, status="completed") == 1
    assert growth.of(f"{SECONDS}_count", status="completed") == 1
    assert (
        growth.of(f"{SECONDS}_sum", status="completed") > 0.09
    )  # records have whole milliseconds, and sums are floats
    assert growth.of(f"{WAIT}_count", queue="walk") == 1
    assert (
        growth.of(f"{WAIT}_sum", queue="walk") > 0.09
    )  # records have whole milliseconds, and sums are floats


async def test_a_failed_execution_has_a_cause(
    runner: Runner, held_walker: HeldWalker, growth: Growth
) -> None:
    await finish(runner, held_walker, "https://example.com/fail")

    assert growth.of(ENDED, status="failed") == 1
    assert growth.of("headrace_executions_failed_total", cause="other") == 1
    assert growth.of(f"{SECONDS}_count", status="failed") == 1


async def test_an_execution_that_was_lost_too_often_failed_by_our_fault(
    runner: Runner, held_walker: HeldWalker, growth: Growth, store: Store
) -> None:
    execution_id = await runner.begin(await runner.save(http_fan("https://example.com/", 1)))
    key = keyspace.execution(runner.account.id, execution_id)
    await store.client.send("HSET", key, "lost", 99)

    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))
    await runner.end(execution_id)
    await eventually(_idle(held_walker))

    assert growth.of("headrace_executions_failed_total", cause="internal") == 1
    assert growth.of(ENDED, status="failed") == 1


async def test_a_wait_is_of_the_queue_of_the_hint_and_of_the_first_claim_alone(
    runner: Runner, held_walker: HeldWalker, growth: Growth, store: Store
) -> None:
    held_walker.load_gate.note_hints(BULK_QUEUE)
    reference = await begin_waiting(runner, held_walker)
    assert growth.of(f"{WAIT}_count", queue="bulk") == 1

    await held_walker.walker.drain(0)
    assert await store.walks.claim(reference, WORKER) is not None

    assert growth.of(f"{WAIT}_count", queue="bulk") == 1


async def test_an_execution_that_is_cancelled_before_its_begin_is_counted(
    runner: Runner, growth: Growth
) -> None:
    execution_id = await runner.begin(await runner.save(http_fan("https://example.com/", 1)))

    await runner.store.executions.cancel(runner.account.id, execution_id)

    assert growth.of(ENDED, status="cancelled") == 1
