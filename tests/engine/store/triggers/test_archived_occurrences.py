"""Occurrences that Redis has forgotten are listed with those that it has."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from engine.errors import Unavailable
from engine.executions.filter import Position
from engine.history.archiving.occurrence_archive import OccurrenceArchive
from engine.history.archiving.occurrences import write_occurrences
from engine.history.database.connections import Database
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.archive.archive import Archive
from engine.store.archive.occurrence_outbox import OccurrenceOutbox
from engine.store.triggers import keys
from engine.store.triggers.archived_occurrences import ArchivedOccurrences
from engine.triggers.occurrences import Occurrence, OccurrenceStatus
from tests.support.history.archived import none_installed, opened, reading, silent_archive
from tests.support.triggers.occurrences import TRIGGER, occurrence, put_occurrences
from tests.support.triggers.records import save_schedule

SKIPPED = OccurrenceStatus.SKIPPED


@pytest.fixture
async def archive(database: Database) -> AsyncIterator[Archive]:
    opened = reading(database)(none_installed)
    yield opened
    await opened.close()


@pytest.fixture
def archived(store: Store, archive: Archive) -> ArchivedOccurrences:
    return ArchivedOccurrences(store.client, archive)


async def forgotten_until(store: Store, account: Account, at: int) -> None:
    await store.client.send("HSET", keys.triggers(account.id), f"{TRIGGER}.forgotten", at)


def newest_first(found: Sequence[Occurrence]) -> list[Occurrence]:
    return sorted(found, key=lambda each: (each.at, each.id), reverse=True)


async def test_pages_of_both_have_each_occurrence_once(
    archived: ArchivedOccurrences, store: Store, account: Account, database: Database
) -> None:
    found = newest_first([occurrence(at // 3) for at in range(30)])
    # They are never archived, and older than some that only the history has.
    old_skipped = [occurrence(2, status=SKIPPED) for _ in range(6)]
    write_occurrences(database, [(account.id, each) for each in found[5:]])
    await forgotten_until(store, account, found[10].at)
    hot = newest_first([*found[:10], *old_skipped])

    listed: list[Occurrence] = []
    after: Position | None = None
    while True:
        here = [each for each in hot if after is None or (each.at, each.id) < after][:5]
        page = await archived.with_hot(account.id, TRIGGER, None, after, here, 4)
        listed += page.occurrences
        if not page.has_more:
            break
        assert len(page.occurrences) == 4
        after = Position(listed[-1].at, listed[-1].id)

    assert listed == newest_first([*found, *old_skipped])


async def test_one_status_is_listed_alone(
    archived: ArchivedOccurrences, store: Store, account: Account, database: Database
) -> None:
    failed = occurrence(3, status=OccurrenceStatus.FAILED, reason="unavailable")
    write_occurrences(database, [(account.id, each) for each in (occurrence(5), failed)])
    await forgotten_until(store, account, 9)

    page = await archived.with_hot(account.id, TRIGGER, OccurrenceStatus.FAILED, None, [], 9)

    assert (page.occurrences, page.has_more) == ([failed], False)


@pytest.mark.parametrize("forgotten", [None, 4])
async def test_a_page_that_redis_has_alone_asks_no_database(
    forgotten: int | None, store: Store, account: Account
) -> None:
    away = ArchivedOccurrences(store.client, silent_archive()(none_installed))
    if forgotten is not None:
        await forgotten_until(store, account, forgotten)
    hot = [occurrence(7), occurrence(5)]

    page = await away.with_hot(account.id, TRIGGER, None, None, hot, 1)
    assert (page.occurrences, page.has_more) == (hot[:1], True)
    if forgotten is None:
        page = await away.with_hot(account.id, TRIGGER, None, None, hot, 9)
        assert (page.occurrences, page.has_more) == (hot, False)
        assert await away.get(account.id, TRIGGER, occurrence().id) is None


async def test_while_the_database_is_away_newer_ones_are_listed(
    store: Store, account: Account
) -> None:
    away = ArchivedOccurrences(store.client, silent_archive()(none_installed))
    await forgotten_until(store, account, 6)
    newer, older = occurrence(7), occurrence(5)

    page = await away.with_hot(account.id, TRIGGER, None, None, [newer, older], 9)
    assert (page.occurrences, page.has_more) == ([newer], True)
    with pytest.raises(Unavailable):
        await away.with_hot(account.id, TRIGGER, None, None, [older], 9)
    with pytest.raises(Unavailable):
        await away.get(account.id, TRIGGER, older.id)


async def test_one_is_read_by_its_id(
    archived: ArchivedOccurrences, store: Store, account: Account, database: Database
) -> None:
    one = occurrence(3)
    write_occurrences(database, [(account.id, one)])
    assert await archived.get(account.id, TRIGGER, one.id) is None, "Redis has forgotten none"
    await forgotten_until(store, account, 3)

    assert await archived.get(account.id, TRIGGER, one.id) == one
    assert await archived.get(account.id, TRIGGER, occurrence().id) is None


async def test_the_store_lists_and_reads_what_has_moved_to_the_history(
    settings: Settings, account: Account, database: Database
) -> None:
    async with opened(settings, database) as history:
        store = history.store
        made = await save_schedule(store, account)
        found = [occurrence(at, trigger_id=made.id) for at in range(1, 8)]
        await put_occurrences(store, account.id, found)
        archive = OccurrenceArchive(store, database)
        await archive.archive()
        assert await archive.forget(2**52) == 7
        newer = [occurrence(at, trigger_id=made.id) for at in (8, 9)]
        await put_occurrences(store, account.id, newer)

        listed: list[Occurrence] = []
        cursor: str | None = None
        while len(listed) < 20:
            page = await store.occurrences.list(account.id, made.id, None, 4, cursor)
            listed += page.occurrences
            cursor = page.next_cursor
            if cursor is None:
                break

        assert listed == [*found, *newer][::-1]
        assert await store.occurrences.get(account.id, made.id, found[2].id) == found[2]
        assert await store.occurrences.get(account.id, made.id, newer[0].id) == newer[0]
        assert (await store.triggers.get(account.id, made.id)).id == made.id


async def test_no_list_lacks_an_occurrence_that_moves_meanwhile(
    settings: Settings, account: Account, database: Database
) -> None:
    async with opened(settings, database) as history:
        store = history.store
        made = await save_schedule(store, account)
        found = [occurrence(at, trigger_id=made.id) for at in range(120)]
        names = await put_occurrences(store, account.id, found)
        outbox = OccurrenceOutbox(store.client)

        async def move() -> None:
            for start in range(0, len(names), 6):
                some = names[start : start + 6]
                await asyncio.to_thread(write_occurrences, database, await outbox.records(some))
                await outbox.mark_archived(some, 1)
                await outbox.forget(some)

        async def walk() -> list[Occurrence]:
            listed: list[Occurrence] = []
            cursor: str | None = None
            while True:
                page = await store.occurrences.list(account.id, made.id, None, 17, cursor)
                listed += page.occurrences
                cursor = page.next_cursor
                if cursor is None:
                    return listed

        moving, walks = asyncio.create_task(move()), 0
        while not moving.done() or not walks:
            assert await walk() == found[::-1]
            walks += 1
        await moving
        assert await walk() == found[::-1]
        assert await outbox.archived(2**52, 999) == []
