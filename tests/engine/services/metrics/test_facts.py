"""Facts of the store's state, as the page of metrics shows them."""

import pytest

from engine.services.metrics import facts
from engine.store import Store
from engine.store.archive.state import SILENT_MS
from engine.store.redis import keyspace
from engine.store.redis.info import read_now
from engine.telemetry.metrics import DECLARATIONS, Declaration
from tests.support.factories import Runner, http_fan


async def read(store: Store, held: float = 0) -> dict[str, float]:
    return {name: rows[0][2] for name, _, _, rows in await facts.read(store, held)}


async def test_an_idle_store_has_all_facts_and_most_are_0(store: Store) -> None:
    found = await read(store)

    known = {name for name, each in DECLARATIONS.items() if each.is_fact}
    assert set(found) == known - {facts.MEDIA_FREE.name, facts.HISTORY_UP.name}
    assert {name for name, value in found.items() if value} <= {
        *(facts.REDIS_UP.name, facts.REDIS_MEMORY_USED.name, facts.REDIS_MEMORY_LIMIT.name),
    }


async def test_executions_that_wait_and_that_workers_hold_are_active(
    store: Store, runner: Runner
) -> None:
    await runner.begin(await runner.save(http_fan("https://example.com/", 1)))

    found = await read(store, held=7)

    assert found[facts.EXECUTIONS_DUE.name] == 1
    assert found[facts.EXECUTIONS_ACTIVE.name] == 8
    assert found[facts.EXECUTIONS_PARKED.name] == 0


@pytest.mark.parametrize(
    ("fact", "key"),
    [
        (facts.DUE_LAG, keyspace.due(0)),
        (facts.OLDEST_DELIVERY, keyspace.deliveries_due(0)),
        (facts.HISTORY_LAG, keyspace.unarchived(0)),
    ],
    ids=lambda each: each.name if isinstance(each, Declaration) else "",
)
async def test_a_lag_is_the_time_since_the_oldest_was_due(
    store: Store, fact: Declaration, key: str
) -> None:
    now = await read_now(store.client)
    await store.client.send("ZADD", key, now - 90_000, "acc_1/late", now + 90_000, "acc_1/early")

    found = await read(store)

    assert 90 <= found[fact.name] < 150


async def test_what_is_due_later_is_not_late(store: Store) -> None:
    now = await read_now(store.client)
    await store.client.send("ZADD", keyspace.due(0), now + 90_000, "acc_1/early")

    assert (await read(store))[facts.DUE_LAG.name] == 0


@pytest.mark.parametrize(
    ("error", "age_ms", "is_up"),
    [("", 0, 1), ("the database cannot be reached", 0, 0), ("", 2 * SILENT_MS, 0)],
)
async def test_the_history_is_up_while_its_archiver_works(
    store: Store, error: str, age_ms: int, is_up: int
) -> None:
    now = await read_now(store.client)
    await store.archiver_states.write(seen_at=now - age_ms, error=error, refused={})

    assert (await read(store))[facts.HISTORY_UP.name] == is_up
