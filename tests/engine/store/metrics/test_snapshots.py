import asyncio
import gc

import pytest

from engine.errors import Unavailable
from engine.settings import Settings
from engine.store import Store
from engine.store.metrics.snapshots import RETIRED, is_process, parse
from engine.store.redis import process_keys
from engine.store.redis.record_packing import pack


async def test_a_snapshot_is_read_with_the_time_it_was_taken(store: Store) -> None:
    await store.snapshots.put("p1", [["runs", 1]])
    await store.snapshots.put("p1", [["runs", 2]])

    found, now = await store.snapshots.all()

    assert set(found) == {"p1"}
    snapshot = parse(found["p1"])
    assert (snapshot.number, snapshot.samples) == (2, [["runs", 2]])
    assert now - 5 <= snapshot.at <= now


async def test_processes_that_are_gone_become_one_sum(store: Store) -> None:
    for name in ("p1", "p2", "p3"):
        await store.snapshots.put(name, [name])

    assert await store.snapshots.retire(b"", ["sum"], {"p1": 1, "p2": 1})

    found, _ = await store.snapshots.all()
    assert {name for name in found if is_process(name)} == {"p3"}
    assert parse(found[RETIRED]).samples == ["sum"]


async def test_a_snapshot_in_the_form_of_before_is_read_and_becomes_part_of_the_sum(
    store: Store,
) -> None:
    await store.client.send("HSET", process_keys.metrics(), "p1", pack([1_700_000_000, ["old"]]))

    found, _ = await store.snapshots.all()
    snapshot = parse(found["p1"])

    assert (snapshot.at, snapshot.samples) == (1_700_000_000, ["old"])
    assert await store.snapshots.retire(b"", ["sum"], {"p1": snapshot.number})


async def test_one_of_two_concurrent_retirements_takes_effect(store: Store) -> None:
    await store.snapshots.put("p1", ["p1"])

    done = [await store.snapshots.retire(b"", [n], {"p1": 1}) for n in (1, 2)]

    found, _ = await store.snapshots.all()
    assert done == [True, False]
    assert parse(found[RETIRED]).samples == [1]


async def test_a_process_that_comes_back_meanwhile_is_not_retired(store: Store) -> None:
    for name in ("p1", "p2", "p1"):
        await store.snapshots.put(name, [name])

    assert not await store.snapshots.retire(b"", ["sum"], {"p1": 1, "p2": 1})

    found, _ = await store.snapshots.all()
    assert set(found) == {"p1", "p2"}


async def test_retiring_nobody_changes_nothing(store: Store) -> None:
    await store.snapshots.put("p1", ["p1"])

    assert not await store.snapshots.retire(b"", ["sum"], {})

    found, _ = await store.snapshots.all()
    assert set(found) == {"p1"}


async def test_a_store_that_is_lost_while_snapshots_are_read_is_said_once(redis_url: str) -> None:
    unheard: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unheard.append(context["message"]))
    store = Store.open(Settings(redis_url=redis_url))
    reading = asyncio.create_task(store.snapshots.all())
    await asyncio.sleep(0)

    await store.close()
    with pytest.raises(Unavailable):
        await reading
    del reading
    gc.collect()
    await asyncio.sleep(0)

    loop.set_exception_handler(None)
    assert unheard == []
