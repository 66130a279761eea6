"""Samples of the last hour, put by the leader and read with the seconds since."""

from typing import Any

import pytest

from engine.services.installation_series.series import (
    LastHourSeries,
    read_series,
    take_sample,
)
from engine.store import Store
from engine.store.metrics.installation_sample import ActivityCounts, InstallationSample
from engine.store.metrics.last_hour import HOUR_MS, LastCounts

SLOT_MS = 10_000


def ended(number: int) -> list[Any]:
    rows = [["headrace_executions_ended_total", {"status": "completed"}, float(number)]]
    return [["headrace_executions_ended", "counter", "", rows]]


async def begin(store: Store, at: int, number: int) -> None:
    """Have a sample whose counts are these."""
    await store.last_hour.put(None, at, ended(number), await store.last_hour.totals())


async def test_the_first_sample_only_notes_the_counts(store: Store) -> None:
    await store.snapshots.put("w1", ended(7))

    pause = await take_sample(store)

    samples, totals, _ = await store.last_hour.read()
    assert samples == []
    assert totals.families == ended(7)
    assert 0 < pause <= 10


async def test_a_sample_has_what_ended_since_the_one_before(store: Store) -> None:
    now = await store.leases.now()
    await begin(store, now - SLOT_MS, 3)
    await store.snapshots.put("w1", ended(7))

    await take_sample(store)

    [sample], totals, _ = await store.last_hour.read()
    assert sample.counts.completed == 4
    assert sample.seconds == pytest.approx(10, abs=2)
    assert totals.families == ended(7)


async def test_there_is_one_sample_for_ten_seconds(store: Store) -> None:
    now = await store.leases.now()
    await begin(store, now, 3)
    before = await store.last_hour.totals()

    if (await store.leases.now()) // SLOT_MS == now // SLOT_MS:
        await take_sample(store)
        assert await store.last_hour.totals() == before


async def test_after_more_than_an_hour_counts_begin_anew(store: Store) -> None:
    now = await store.leases.now()
    await begin(store, now - HOUR_MS - 1_000, 3)
    await store.snapshots.put("w1", ended(7))

    await take_sample(store)

    samples, totals, _ = await store.last_hour.read()
    assert (samples, totals.families) == ([], ended(7))


async def test_counts_since_the_last_sample_are_read_with_the_state_now(store: Store) -> None:
    now = await store.leases.now()
    await begin(store, now - 5_000, 3)
    await store.snapshots.put("w1", ended(7))

    series = await read_series(store)

    assert series.latest is not None
    assert series.latest.counts.completed == 4
    assert series.totals.families == ended(7)


async def test_right_after_a_sample_there_is_nothing_since(store: Store) -> None:
    await begin(store, await store.leases.now(), 3)

    assert (await read_series(store)).latest is None


async def test_where_nobody_puts_samples_earlier_counts_stand_for_the_last(store: Store) -> None:
    now = await store.leases.now()
    await store.snapshots.put("w1", ended(7))

    without = await read_series(store)
    series = await read_series(store, LastCounts(at=now - 3_000, families=ended(6)))

    assert without.latest is None
    assert series.latest is not None
    assert series.latest.counts.completed == 1


def test_the_last_seconds_have_as_many_samples_as_they_need() -> None:
    samples = [
        InstallationSample(at=at, seconds=10.0, counts=ActivityCounts(completed=1))
        for at in range(0, 100_000, SLOT_MS)
    ]
    latest = InstallationSample(at=95_000, seconds=5.0, counts=ActivityCounts(completed=1))
    series = LastHourSeries(
        at=95_000, samples=samples, latest=latest, totals=LastCounts(at=0, families=[])
    )

    found = series.last(30)

    assert found is not None
    assert (found.at, found.seconds, found.counts.completed) == (95_000, 35.0, 4)


def test_old_samples_are_not_the_last_seconds() -> None:
    totals = LastCounts(at=0, families=[])
    samples = [InstallationSample(at=at, seconds=10.0) for at in (1_000, 11_000)]

    soon = LastHourSeries(at=30_000, samples=samples, latest=None, totals=totals)
    late = LastHourSeries(at=90_000, samples=samples, latest=None, totals=totals)

    assert soon.last(10) == samples[1]
    assert late.last(10) is None
