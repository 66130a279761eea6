"""Batches move to the history, and leave Redis only afterwards."""

import pytest

from engine.history.archiving import batch_archive
from engine.history.archiving.batch_archive import BatchArchive
from engine.history.database.connections import Database
from engine.history.schema import batches
from engine.store import Account, Store
from engine.store.archive.ended_batches import EndedBatches
from engine.store.redis import batch_keys
from tests.support.history.rows import table_rows
from tests.support.store.ended_batches import LATER, EndingBatches, id_of


@pytest.fixture
def archive(store: Store, database: Database) -> BatchArchive:
    return BatchArchive(store, database)


@pytest.fixture
def ending(store: Store, account: Account) -> EndingBatches:
    return EndingBatches(store, account.id)


async def test_what_is_over_is_written_and_then_forgotten(
    archive: BatchArchive, ending: EndingBatches, database: Database
) -> None:
    names = [await ending.over() for _ in range(3)]

    assert (await archive.archive(), await archive.archive()) == (3, 0)
    assert {row["id"] for row in table_rows(database, batches)} == {*map(id_of, names)}
    assert await archive.forget(1) == 0
    assert (await archive.forget(LATER), await archive.forget(LATER)) == (3, 0)
    assert await ending.store.batches.chunks.read(ending.account_id, id_of(names[0]), [0]) == {}


async def test_some_are_written_at_once(
    archive: BatchArchive, ending: EndingBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_archive, "SIZE", 2)
    for _ in range(3):
        await ending.over()

    assert [await archive.archive() for _ in range(3)] == [2, 1, 0]


async def test_a_record_of_a_later_format_stays_and_is_named(
    archive: BatchArchive, ending: EndingBatches, store: Store, database: Database
) -> None:
    later, other = await ending.over(), await ending.over()
    key = batch_keys.batch(ending.account_id, id_of(later))
    await store.client.send("HSET", key, "format", 99)

    await archive.archive()

    assert [row["id"] for row in table_rows(database, batches)] == [id_of(other)]
    assert set(archive.refusals()) == {f"batch {later}"}
    assert await EndedBatches(store.client).unarchived(9) == [later]
    assert await archive.archive() == 0
