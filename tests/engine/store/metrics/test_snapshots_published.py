"""Frequency of a process's snapshots."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from engine.errors import Unavailable
from engine.services.metrics import publishing
from engine.services.metrics.page import sum_page
from engine.store import Store
from engine.store.metrics.snapshots import Snapshots, parse
from engine.telemetry import metrics
from tests.support.eventually import eventually


@pytest.fixture
def puts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Processes of the written snapshots, in order; the first write has no reply."""
    made: list[str] = []
    put = Snapshots.put

    async def count(snapshots: Snapshots, process: str, samples: list[object]) -> None:
        made.append(process)
        if len(made) == 1:
            raise Unavailable("Redis cannot be reached")
        await put(snapshots, process, samples)

    monkeypatch.setattr(Snapshots, "put", count)
    monkeypatch.setattr(publishing, "PUT_SECONDS", 0.01)
    return made


@pytest.fixture
async def published(store: Store, puts: list[str]) -> AsyncIterator[None]:
    """A publishing process after its first two writes."""
    task = asyncio.create_task(publishing.publish(store, "one"))
    await eventually(lambda: _count(puts), lambda count: count >= 2)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _count(puts: list[str]) -> int:
    return len(puts)


@pytest.mark.usefixtures("published")
async def test_a_snapshot_that_was_put_and_has_not_changed_is_not_put_again(
    puts: list[str],
) -> None:
    await asyncio.sleep(0.2)

    assert len(puts) == 2


@pytest.mark.usefixtures("published")
async def test_one_that_has_changed_is_put_soon(puts: list[str]) -> None:
    metrics.HINTS_RESENT.inc()

    await eventually(lambda: _count(puts), lambda count: count == 3)


async def test_one_that_stays_the_same_is_put_again_in_time_to_tell_that_its_process_lives(
    store: Store, puts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert publishing.SAME_SECONDS + publishing.PUT_SECONDS < publishing.GONE_SECONDS / 2
    monkeypatch.setattr(publishing, "SAME_SECONDS", 0.05)
    task = asyncio.create_task(publishing.publish(store, "one"))

    await eventually(lambda: _count(puts), lambda count: count >= 5)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_process_that_ends_puts_its_last_state(store: Store) -> None:
    """Its gauges would else count for half a minute after its end."""
    task = asyncio.create_task(publishing.publish(store, "one"))
    metrics.EXECUTIONS_HELD.inc(3)
    await eventually(store.snapshots.all, lambda found: "one" in found[0])
    metrics.EXECUTIONS_HELD.dec(3)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert "headrace_executions_held 0.0" in (await sum_page(store, "two")).decode()
    found, _ = await store.snapshots.all()
    samples = parse(found["one"]).samples
    assert [name for name, kind, *_ in samples if kind == "gauge"] == ["headrace_processes"]
    assert "headrace_claims_refused" in {name for name, *_ in samples}


async def test_an_end_does_not_wait_for_a_store_that_is_silent(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def put(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Snapshots, "put", put)
    monkeypatch.setattr(publishing, "LAST_SECONDS", 0.01)
    task = asyncio.create_task(publishing.publish(store, "one"))
    await asyncio.sleep(0)

    task.cancel()
    [ended] = await asyncio.gather(task, return_exceptions=True)

    assert isinstance(ended, asyncio.CancelledError)


def test_a_process_with_many_samples_puts_them_less_often() -> None:
    def samples(count: int) -> list[object]:
        return [["many", "gauge", "T.", [["many", {"n": str(n)}, 1] for n in range(count)]]]

    pauses = [publishing._pause(samples(count)) for count in (10, 1_000, 3_000, 100_000)]

    assert pauses == [2.0, 2.0, 6.0, 10.0]
