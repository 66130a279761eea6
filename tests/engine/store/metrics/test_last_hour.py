"""The key of the last hour: bounded, and written by one worker at a time."""

from engine.store import Store
from engine.store.metrics.installation_sample import ActivityCounts, InstallationSample
from engine.store.metrics.last_hour import HOUR_MS, MOST_SAMPLES, SAMPLE_SECONDS
from engine.store.redis import process_keys


def sample(at: int, completed: int = 0) -> InstallationSample:
    return InstallationSample(at=at, seconds=10.0, counts=ActivityCounts(completed=completed))


async def put(store: Store, at: int, completed: int = 0) -> bool:
    return await store.last_hour.put(
        sample(at, completed), at, ["families"], await store.last_hour.totals()
    )


async def test_samples_of_the_last_hour_are_read_oldest_first(store: Store) -> None:
    now = await store.leases.now()
    for age_seconds in (3_700, 3_590, 20, 10):
        assert await put(store, now - age_seconds * 1000)

    samples, totals, at = await store.last_hour.read()

    assert [now - each.at for each in samples] == [3_590_000, 20_000, 10_000]
    assert (totals.at, totals.families) == (now - 10_000, ["families"])
    assert at >= now


async def test_the_key_does_not_grow_beyond_an_hour(store: Store) -> None:
    now = await store.leases.now()
    for number in range(MOST_SAMPLES + 20):
        assert await put(store, now - HOUR_MS + number * SAMPLE_SECONDS * 1000)

    fields = await store.client.send("HLEN", process_keys.last_hour())

    assert fields == MOST_SAMPLES + 1


async def test_of_two_workers_that_count_from_the_same_totals_one_puts_its_sample(
    store: Store,
) -> None:
    now = await store.leases.now()
    before = await store.last_hour.totals()

    done = [
        await store.last_hour.put(sample(now, number), now, [number], before) for number in (1, 2)
    ]

    samples, totals, _ = await store.last_hour.read()
    assert done == [True, False]
    assert [each.counts.completed for each in samples] == [1]
    assert totals.families == [1]


async def test_a_sample_that_is_of_another_form_is_left_out(store: Store) -> None:
    await put(store, await store.leases.now())
    await store.client.send("HSET", process_keys.last_hour(), "5", b"\xc1")

    samples, _, _ = await store.last_hour.read()

    assert len(samples) == 1
