"""Occurrences leave Redis once the history has them and their time in Redis is over."""

import pytest

from engine.store import Account, Store
from engine.store.archive.occurrence_outbox import OccurrenceOutbox, parse_reference
from engine.store.triggers import keys
from engine.triggers.occurrences import Occurrence, OccurrenceStatus, SkipReason
from tests.support.triggers.occurrences import TRIGGER, occurrence, put_occurrences

LATER = 2**52


@pytest.fixture
def outbox(store: Store) -> OccurrenceOutbox:
    return OccurrenceOutbox(store.client)


def one_of_each() -> list[Occurrence]:
    return [
        occurrence(1),
        occurrence(2, status=OccurrenceStatus.SKIPPED, reason=SkipReason.STILL_RUNNING),
        occurrence(3, status=OccurrenceStatus.FAILED, reason="unavailable"),
        occurrence(4, status=OccurrenceStatus.MISSED, count=480),
    ]


async def sizes(store: Store, account_id: str) -> list[int]:
    """Return the number of entries of each key with occurrences of the trigger."""
    record, *by_time = keys.occurrence_keys(account_id, TRIGGER)
    counts = [await store.client.send("ZCARD", key) for key in by_time]
    return [int(await store.client.send("HLEN", record)), *map(int, counts)]


async def forgotten_at(store: Store, account_id: str) -> int | None:
    found = await store.client.send("HGET", keys.triggers(account_id), f"{TRIGGER}.forgotten")
    return None if found is None else int(found)


async def test_occurrences_are_read_and_move_to_the_archived_ones(
    outbox: OccurrenceOutbox, store: Store, account: Account
) -> None:
    found = one_of_each()
    names = await put_occurrences(store, account.id, found)
    assert await outbox.unarchived(9) == names
    assert (await outbox.backlog()).count == 4
    gone = keys.occurrence_reference(account.id, TRIGGER, occurrence().id)

    assert await outbox.records([*names, gone]) == [(account.id, each) for each in found]
    await outbox.mark_archived([*names, gone], 7)

    assert await outbox.unarchived(9) == []
    assert await outbox.archived(6, 9) == []
    assert set(await outbox.archived(7, 9)) == {*names, gone}


async def test_archived_ones_are_forgotten_and_the_newest_time_is_known(
    outbox: OccurrenceOutbox, store: Store, account: Account
) -> None:
    await store.client.send("HSET", keys.triggers(account.id), TRIGGER, "settings")
    names = await put_occurrences(store, account.id, one_of_each())
    [other] = await put_occurrences(store, account.id, [occurrence(trigger_id="trg_2")])
    await outbox.mark_archived([*names, other], 1)

    assert await outbox.forget([names[3], names[0]]) == 2

    assert await sizes(store, account.id) == [2, 0, 1, 1, 0]
    assert await forgotten_at(store, account.id) == 4
    assert set(await outbox.archived(LATER, 9)) == {names[1], names[2], other}
    assert await outbox.forget([*names, other]) == 3
    assert await forgotten_at(store, account.id) == 4, "the newest one counts"
    assert await outbox.forget([*names, other]) == 0
    assert await sizes(store, account.id) == [0, 0, 0, 0, 0]
    assert await outbox.archived(LATER, 9) == []


async def test_those_of_a_deleted_trigger_leave_nothing(
    outbox: OccurrenceOutbox, store: Store, account: Account
) -> None:
    names = await put_occurrences(store, account.id, one_of_each())
    await store.client.send("DEL", *keys.occurrence_keys(account.id, TRIGGER))
    await outbox.mark_archived(names, 1)

    assert await outbox.forget(names) == 0

    assert await outbox.archived(LATER, 9) == []
    assert await store.client.send("EXISTS", keys.triggers(account.id)) == 0


async def test_old_ones_are_pruned_where_there_is_no_history(
    outbox: OccurrenceOutbox, store: Store, account: Account
) -> None:
    names = await put_occurrences(store, account.id, one_of_each())

    assert await outbox.prune(1) == 2

    assert await outbox.unarchived(9) == names[2:]
    assert await sizes(store, account.id) == [2, 0, 0, 1, 1]


async def test_one_of_a_later_format_is_refused(
    outbox: OccurrenceOutbox, store: Store, account: Account
) -> None:
    [name] = await put_occurrences(store, account.id, [occurrence()])
    key = keys.occurrences(account.id, TRIGGER)
    await store.client.send("HSET", key, parse_reference(name)[2], "z,1,,")

    with pytest.raises(ValueError, match="later format"):
        await outbox.records([name])
