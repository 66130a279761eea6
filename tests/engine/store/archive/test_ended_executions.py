"""Ended executions as the archiver reads and removes them."""

import pytest

from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.archive import ended_executions
from engine.store.archive.ended_executions import EndedExecutions, LastFacts
from engine.store.executions.record_fields import pack_name
from engine.store.redis import keyspace
from tests.support.store.ended import URL, Ending


@pytest.fixture
def ended(store: Store) -> EndedExecutions:
    return EndedExecutions(store.client)


@pytest.fixture
async def ending(store: Store, account: Account) -> Ending:
    return await Ending.of(store, account)


async def test_every_end_waits_for_the_history_from_the_same_step_on(
    ending: Ending, ended: EndedExecutions
) -> None:
    open_one = await ending.accept()

    ends = {
        await ending.completed(),
        await ending.failed(),
        await ending.cancelled(),
        await ending.walked_unclaimed(),
    }

    assert set(await ended.unarchived(10)) == ends
    assert open_one not in ends


async def test_a_batch_is_bounded_and_takes_the_oldest_first(
    ending: Ending, ended: EndedExecutions
) -> None:
    names = [await ending.completed() for _ in range(3)]
    key = keyspace.unarchived(partition_of(ending.account.id))
    for at, name in enumerate(names, start=1):
        await ending.store.client.send("ZADD", key, at, name)

    assert await ended.unarchived(2) == names[:2]
    assert await ended.unarchived(10) == names
    assert await ended.unarchived(0) == []


async def test_what_is_archived_does_not_wait_any_more(
    ending: Ending, ended: EndedExecutions
) -> None:
    first, second = await ending.completed(), await ending.failed()

    await ended.mark_archived([first])

    assert await ended.unarchived(10) == [second]
    assert (await ended.backlog()).count == 1


async def test_the_backlog_tells_its_oldest_end(ending: Ending, ended: EndedExecutions) -> None:
    assert (await ended.backlog()).oldest_at is None

    reference = await ending.completed()
    await ending.completed()

    first = await ending.store.executions.facts(*keyspace.parse_reference(reference))
    assert (await ended.backlog()).oldest_at == first.completed_at


async def test_a_record_has_all_fields_and_the_events_of_a_watched_execution(
    ending: Ending, ended: EndedExecutions
) -> None:
    plain, watched = await ending.completed(), await ending.completed(watcher="")

    batch = await ended.read([plain, watched, "acc/gone"])

    records = {each.reference: each for each in batch.records}
    assert batch.references == [plain, watched, "acc/gone"]
    assert set(records) == {plain, watched}
    assert records[plain].fields["status"] == b"completed"
    assert records[plain].events == ()
    assert [dict(zip(f[::2], f[1::2], strict=True)) for _, f in records[watched].events][-1] == {
        b"ended": b"completed",
        b"left": b"cc",
    }


async def test_a_batch_ends_before_its_records_are_too_large(
    ending: Ending, ended: EndedExecutions, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [await ending.completed() for _ in range(3)]
    monkeypatch.setattr(ended_executions, "BATCH_BYTES", 1)

    batch = await ended.read(names)

    assert batch.references == [each.reference for each in batch.records] == names[:1]


async def test_ends_are_read_in_order_a_page_at_a_time(
    ending: Ending, ended: EndedExecutions
) -> None:
    names = [await ending.completed() for _ in range(3)]
    partition = partition_of(ending.account.id)
    key = keyspace.finished(partition)
    for at, name in zip((10, 20, 20), names, strict=True):
        await ending.store.client.send("ZADD", key, at, name)

    first = await ended.ended(partition, 0, 100, 2)
    second = await ended.ended(partition, first.next_at, 100, 2)
    third = await ended.ended(partition, second.next_at, 100, 2)

    assert first.references[0] == names[0]
    assert set(first.references) | set(second.references) == set(names)
    assert third.references == []
    assert third.next_at == 101


async def test_an_execution_that_the_history_lacks_can_be_put_back_on_the_list(
    ending: Ending, ended: EndedExecutions
) -> None:
    reference = await ending.completed()
    before = await ended.backlog()
    await ended.mark_archived([reference])

    await ended.mark_unarchived([reference, keyspace.reference(ending.account.id, "unknown")])

    assert await ended.unarchived(10) == [reference]
    assert await ended.backlog() == before


async def test_a_forgotten_execution_leaves_nothing(ending: Ending, ended: EndedExecutions) -> None:
    reference = await ending.completed(watcher="")
    ids = keyspace.parse_reference(reference)
    now = await ending.store.leases.now()

    assert not await ended.forget(reference, now - 60_000, "")
    assert await ended.forget(reference, now + 60_000, "")

    assert await ending.store.client.send("EXISTS", keyspace.execution(*ids)) == 0
    assert await ending.store.client.send("EXISTS", keyspace.events(*ids)) == 0
    assert await ended.unarchived(10) == []
    assert await ending.store.executions.list(ending.account.id) == ([], None)


async def test_an_execution_that_was_retried_meanwhile_is_not_forgotten(
    ending: Ending, ended: EndedExecutions
) -> None:
    reference = await ending.failed()
    key = keyspace.execution(*keyspace.parse_reference(reference))
    await ending.store.client.send("HSET", key, "retry", "the-retry", "tags", "a\0b")
    now = await ending.store.leases.now()

    assert not await ended.forget(reference, now + 60_000, "")
    facts = await ended.last_facts([reference])
    assert facts == {reference: LastFacts(retry="the-retry", tags=("a", "b"))}
    assert await ended.forget(reference, now + 60_000, "the-retry")


async def test_the_facts_name_an_event_that_is_an_object(
    ending: Ending, ended: EndedExecutions
) -> None:
    names = [await ending.completed() for _ in range(3)]
    for name, event in zip(names, (b"\x81small", pack_name("e.7"), pack_name("e.8")), strict=True):
        key = keyspace.execution(*keyspace.parse_reference(name))
        await ending.store.client.send("HSET", key, "event", event)
        if name != names[2]:  # no trigger started the last one
            await ending.store.client.send("HSET", key, "trigger", "trg_1")

    facts = await ended.last_facts(names)

    assert [facts[each].event for each in names] == ["", "e.7", ""]


async def test_an_execution_whose_webhook_is_being_told_is_not_forgotten(
    ending: Ending, ended: EndedExecutions
) -> None:
    key_id = await ending.with_webhook()
    reference = await ending.completed(key_id=key_id, webhook_url=URL)
    later = await ending.store.leases.now() + 60_000

    assert not await ended.forget(reference, later, "")
    await ending.deliver(reference)

    assert await ended.forget(reference, later, "")


async def test_the_newest_forgotten_execution_is_noted(
    ending: Ending, ended: EndedExecutions
) -> None:
    key, account_id = keyspace.newest_forgotten(partition_of(ending.account.id)), ending.account.id
    older, newer = await ending.completed(), await ending.completed()
    created = (await ending.store.executions.facts(*keyspace.parse_reference(newer))).created_at
    now = await ending.store.leases.now()

    for reference in (newer, older):
        assert await ended.forget(reference, now + 60_000, "")

    assert await ending.store.client.send("HGET", key, account_id) == str(created).encode()
