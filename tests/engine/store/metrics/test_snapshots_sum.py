"""Sum of all processes' metrics: each process's counts are in it exactly once.

Each process is a store of its own, and writes samples of the test.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.services.metrics import publishing
from engine.services.metrics.page import sum_page
from engine.settings import Settings
from engine.store import Store
from engine.store.metrics.snapshots import RETIRED, parse
from engine.store.redis import process_keys
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack
from engine.store.redis.scripts import SCRIPTS, Script
from engine.telemetry import metrics

LONG_AGO = b"1000000000"


def samples(runs: float, seconds: float = 0.0, held: float = 0.0) -> list[Any]:
    """Return a process's samples: a counter of runs, a histogram of seconds, a gauge."""
    return [
        ["runs", "counter", "Runs.", [["runs_total", {"kind": "a"}, runs]]],
        [
            *("seconds", "histogram", "Seconds."),
            [
                ["seconds_bucket", {"le": "1.0"}, runs],
                ["seconds_count", {}, runs],
                ["seconds_sum", {}, seconds],
                ["seconds_created", {}, 1.7e9],
            ],
        ],
        ["held", "gauge", "Held.", [["held", {}, held]]],
    ]


class Process:
    """Process with a name of its own."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.store = Store.open(Settings(redis_url=url))

    async def put(self, *counts: float) -> None:
        await self.store.snapshots.put(self.name, samples(*counts))


@pytest.fixture
async def start(redis_url: str) -> AsyncIterator[Callable[[str], Process]]:
    """Start a process."""
    started: list[Process] = []

    def start(name: str) -> Process:
        started.append(Process(name, redis_url))
        return started[-1]

    yield start
    for process in started:
        await process.store.close()


async def fold(store: Store, *names: str) -> None:
    """Age snapshots until their processes count as ended, and fold them."""
    for name in names:
        data = await store.client.send("HGET", process_keys.metrics(), name)
        _, head, rest = data.partition(b"|")
        await store.client.send("HSET", process_keys.metrics(), name, LONG_AGO + head + rest)
    await publishing.retire(store)
    found, _ = await store.snapshots.all()
    assert not set(names) & set(found)


async def sums(store: Store) -> dict[str, float]:
    """Return every sample of the sum, as the metrics page shows it."""
    found, _ = await store.snapshots.all()
    total = publishing.add_up(parse(data).samples for data in found.values())
    return {sample: value for *_, rows in total for sample, _, value in rows if value}


def expected(runs: float, seconds: float = 0.0, held: float = 0.0) -> dict[str, float]:
    every = {
        "runs_total": runs,
        "seconds_bucket": runs,
        "seconds_count": runs,
        "seconds_sum": seconds,
        "held": held,
    }
    return {sample: value for sample, value in every.items() if value}


async def test_a_process_that_was_folded_and_lives_counts_once(
    store: Store, start: Callable[[str], Process]
) -> None:
    one, other = start("one"), start("other")
    await one.put(5, 2.5, 3)
    await other.put(7, 1.0, 1)

    await fold(store, "one")
    assert await sums(store) == expected(12, 3.5, 1)

    await one.put(6, 3.0, 2)
    assert await sums(store) == expected(13, 4.0, 3)
    await one.put(8, 4.0, 1)
    assert await sums(store) == expected(15, 5.0, 2)


async def test_a_process_may_be_folded_again_and_again_and_die_in_the_end(
    store: Store, start: Callable[[str], Process]
) -> None:
    one = start("one")
    for runs in range(1, 5):
        await one.put(runs, runs / 2, 9)
        assert await sums(store) == expected(runs, runs / 2, 9)
        await fold(store, "one")
        assert await sums(store) == expected(runs, runs / 2)

    start("other")
    assert await sums(store) == expected(4, 2.0)


async def test_all_processes_may_be_folded_at_once(
    store: Store, start: Callable[[str], Process]
) -> None:
    processes = [start(name) for name in "abc"]
    for process in processes:
        await process.put(10, 1.0, 1)

    await fold(store, *"abc")
    for process in processes:
        await process.put(11, 1.0, 1)

    assert await sums(store) == expected(33, 3.0, 3)


@pytest.mark.parametrize("is_stored", [True, False])
async def test_a_snapshot_whose_put_was_not_answered_counts_once(
    is_stored: bool,
    store: Store,
    start: Callable[[str], Process],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = start("one")
    await one.put(5, 2.5)
    call = Client.call

    async def lose_reply(client: Client, script: Script, **names: Any) -> Any:
        if is_stored:
            await call(client, script, **names)
        raise Unavailable("lost")

    with monkeypatch.context() as patch:
        patch.setattr(Client, "call", lose_reply)
        for runs in (6, 7, 8):
            with pytest.raises(Unavailable):
                await one.put(runs, 3.0)
    assert await sums(store) == (expected(6, 3.0) if is_stored else expected(5, 2.5))

    await fold(store, "one")
    await one.put(9, 4.0)

    assert await sums(store) == expected(9, 4.0)


async def test_a_process_whose_store_was_emptied_counts_whole_again(
    store: Store, start: Callable[[str], Process]
) -> None:
    one = start("one")
    await one.put(5)
    await fold(store, "one")
    await one.put(6)

    await store.client.send("FLUSHALL")
    await one.put(7)

    assert await sums(store) == expected(7)


async def test_a_folding_that_the_store_lost_counts_once(
    store: Store, start: Callable[[str], Process]
) -> None:
    one = start("one")
    await one.put(5)
    before = await store.client.send("HGET", process_keys.metrics(), "one")
    await fold(store, "one")
    await one.put(6)

    # The store is set back to a time before the folding.
    await store.client.send("HDEL", process_keys.metrics(), RETIRED)
    await store.client.send("HSET", process_keys.metrics(), "one", before)
    await store.client.send("DEL", process_keys.metrics_folded("one"))
    await one.put(7)

    assert await sums(store) == expected(7)


async def test_the_state_of_a_folded_process_is_kept_for_a_week_after_its_last_snapshot(
    store: Store, start: Callable[[str], Process]
) -> None:
    one = start("one")
    await one.put(5)

    await fold(store, "one")
    first = await store.client.send("PTTL", process_keys.metrics_folded("one"))
    await store.client.send("PEXPIRE", process_keys.metrics_folded("one"), 60_000)
    await one.put(5)
    later = await store.client.send("PTTL", process_keys.metrics_folded("one"))

    week_ms = 7 * 86_400_000
    assert all(week_ms - 60_000 < left <= week_ms for left in (first, later))


async def test_a_snapshot_that_would_count_twice_is_never_stored(
    store: Store, start: Callable[[str], Process]
) -> None:
    await start("one").put(5)
    await fold(store, "one")

    folded = await store.client.call(
        SCRIPTS["put_snapshot"],
        snapshots=process_keys.metrics(),
        folded=process_keys.metrics_folded("one"),
        process="one",
        number=2,
        left_out=0,
        samples=pack(samples(6)),
        folded_ms=60_000,
    )

    assert int(folded) == 1
    assert await sums(store) == expected(5)


async def test_the_page_counts_its_own_process_once_although_it_was_folded(
    store: Store, start: Callable[[str], Process]
) -> None:
    metrics.HINTS_RESENT.inc(3)
    value = metrics.REGISTRY.get_sample_value("headrace_hints_resent_total")
    await sum_page(store, "me")
    await fold(store, "me")

    page = (await sum_page(store, "me")).decode()

    assert f"headrace_hints_resent_total {value}" in page.splitlines()


async def test_a_process_of_a_full_store_still_puts_its_metrics(
    store: Store, start: Callable[[str], Process]
) -> None:
    await store.client.send("CONFIG", "SET", "maxmemory", 1)

    await start("one").put(5)

    assert await sums(store) == expected(5)
