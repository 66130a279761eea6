"""Readings of a store, and the problems in them."""

import asyncio

import pytest

from deploy.admin.top import reading as reading_module
from deploy.admin.top.reading import read, read_with_rates
from engine.store import Store
from engine.store.archive.state import ArchiverState
from engine.store.metrics.installation_sample import ProviderSample
from engine.store.metrics.snapshots import Snapshots
from engine.store.redis.info import RedisMemory
from tests.support.top.readings import (
    history,
    queue,
    reading,
    reading_without_counts,
    sample,
    worker,
)

ENDED = "headrace_executions_ended"


def ended(number: float) -> list[list[object]]:
    rows = [[f"{ENDED}_total", {"status": "completed"}, number]]
    return [[ENDED, "counter", "", rows]]


async def test_rates_are_those_of_the_last_seconds(store: Store) -> None:
    now = await store.leases.now()
    before = await store.last_hour.totals()
    await store.last_hour.put(None, now - 10_000, ended(5), before)
    await store.snapshots.put("w1", ended(25))

    found = await read(store)

    assert found.recent is not None
    assert found.recent.counts.completed == 20
    assert found.recent.seconds == pytest.approx(10, abs=2)


async def test_without_samples_two_readings_give_rates(store: Store) -> None:
    await store.snapshots.put("w1", ended(5))
    first = await read(store)

    found = await read_with_rates(store)

    assert first.recent is None
    assert found.recent is not None
    assert found.recent.counts.completed == 0


async def test_a_redis_that_does_not_answer_ends_the_reading(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: Snapshots) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(reading_module, "READ_SECONDS", 0.05)
    monkeypatch.setattr(Snapshots, "all", never)

    with pytest.raises(TimeoutError):
        await read(store)


def test_an_installation_that_works_has_no_problems() -> None:
    assert reading().problems == []


def test_each_problem_is_a_sentence() -> None:
    fault = ArchiverState(seen_at=1, error="the database does not answer")
    failing = ProviderSample("openai", {"ok": 1, "failed": 9})
    found = reading(
        sample(providers=[failing, ProviderSample("other", {"ok": 9, "failed": 1})]),
        workers=[worker("dead", is_alive=False)],
        queues=[queue("walk", 3, 12.0), queue("bulk", 3, 2.0)],
        redis=RedisMemory(used=90, limit=100),
        history=history(fault),
    )

    assert found.problems == [
        "No worker is alive: runs are accepted and wait until one is started.",
        "Gone, and their runs are being taken back: dead.",
        "3 wait in walk, the first for 12 s: start more workers, or look at their logs.",
        "Redis is 90% full: soon it takes no new runs.",
        "History: the database does not answer.",
        "Provider openai: 9 of 10 calls failed in 5 minutes.",
    ]


def test_many_names_are_cut_short() -> None:
    dead = [worker(f"host-{number}", is_alive=False) for number in range(7)]
    rows = [ProviderSample(f"p{number}", {"failed": 9}) for number in range(6)]

    found = reading(sample(providers=rows), workers=[worker(), *dead])

    assert found.problems == [
        "Gone, and their runs are being taken back: "
        "host-0, host-1, host-2, host-3, host-4 and 2 more.",
        "Providers that fail most calls: p0, p1, p2, p3, p4 and 1 more.",
    ]


def test_a_provider_with_few_calls_is_no_problem() -> None:
    assert reading(sample(providers=[ProviderSample("openai", {"failed": 4})])).problems == []


def test_a_provider_that_is_not_called_is_a_problem_though_few_calls_failed() -> None:
    rows = [ProviderSample("openai", {"ok": 34, "failed": 11})]

    assert reading(sample(providers=rows, breakers_open={"openai": 2})).problems == [
        "Workers do not call, since calls failed: openai."
    ]


def test_a_provider_that_fails_and_is_not_called_is_told_once() -> None:
    rows = [ProviderSample("openai", {"failed": 9})]

    assert reading(sample(providers=rows, breakers_open={"openai": 2})).problems == [
        "Provider openai: 9 of 9 calls failed in 5 minutes."
    ]


def test_missing_samples_are_told() -> None:
    assert "no samples" in reading_without_counts().problems[0]
