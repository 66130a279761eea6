"""Occurrences move to the history, and leave Redis only afterwards."""

from typing import Any

import pytest

from engine.history.archiving import occurrence_archive
from engine.history.archiving.occurrence_archive import OccurrenceArchive
from engine.history.database.connections import Database
from engine.history.schema import occurrences
from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.archive.occurrence_outbox import OccurrenceOutbox, parse_reference
from engine.store.triggers import keys
from tests.support.history.rows import table_rows
from tests.support.store.redis_contents import contents
from tests.support.triggers.occurrences import TRIGGER, occurrence, put_occurrences
from tests.support.triggers.records import save_schedule

LATER = 2**52


@pytest.fixture
def archive(store: Store, database: Database) -> OccurrenceArchive:
    return OccurrenceArchive(store, database)


async def hot(store: Store, account: Account) -> int:
    return int(await store.client.send("HLEN", keys.occurrences(account.id, TRIGGER)))


async def test_occurrences_are_written_and_then_forgotten(
    archive: OccurrenceArchive, store: Store, account: Account, database: Database
) -> None:
    found = [occurrence(at) for at in range(3)]
    await put_occurrences(store, account.id, found)

    assert (await archive.archive(), await archive.archive()) == (3, 0)
    assert [row["id"] for row in table_rows(database, occurrences)] == [each.id for each in found]
    assert (await archive.forget(1), await hot(store, account)) == (0, 3)
    assert (await archive.forget(LATER), await hot(store, account)) == (3, 0)
    assert await archive.forget(LATER) == 0
    assert len(table_rows(database, occurrences)) == 3


async def test_some_are_written_at_once_and_again_after_a_kill(
    archive: OccurrenceArchive,
    store: Store,
    account: Account,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(occurrence_archive, "SIZE", 2)
    names = await put_occurrences(store, account.id, [occurrence(at) for at in range(3)])

    assert [await archive.archive() for _ in range(3)] == [2, 1, 0]
    outbox = keys.unarchived_occurrences(partition_of(account.id))
    await store.client.send("ZADD", outbox, 1, names[0])  # as after a kill before it was removed
    assert [await archive.archive() for _ in range(2)] == [1, 0]

    assert len(table_rows(database, occurrences)) == 3


async def test_redis_holds_no_more_after_many_occurrences_than_after_some(
    archive: OccurrenceArchive, store: Store, account: Account, database: Database
) -> None:
    made = await save_schedule(store, account)
    key = keys.triggers(account.id)
    found: list[dict[bytes, Any]] = []
    for turn in range(4):
        some = [occurrence(1_000 * turn + n, trigger_id=made.id) for n in range(300)]
        await put_occurrences(store, account.id, some)
        assert await archive.archive() == 300
        assert await archive.forget(LATER) == 300
        await store.client.send("HDEL", key, f"{made.id}.forgotten")  # the newest time
        found.append(await contents(store.client))

    assert found[1:] == found[:-1]
    assert len(table_rows(database, occurrences)) == 1_200


async def test_one_of_a_later_format_stays_and_is_named(
    archive: OccurrenceArchive, store: Store, account: Account, database: Database
) -> None:
    later, other = await put_occurrences(store, account.id, [occurrence(), occurrence()])
    key = keys.occurrences(account.id, TRIGGER)
    await store.client.send("HSET", key, parse_reference(later)[2], "z,1,,")

    await archive.archive()

    [row] = table_rows(database, occurrences)
    assert row["id"] == parse_reference(other)[2]
    assert set(archive.refusals()) == {f"occurrence {later}"}
    assert await OccurrenceOutbox(store.client).unarchived(9) == [later]
    assert await archive.archive() == 0
