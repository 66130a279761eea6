import asyncio
from dataclasses import replace

import pytest
from msgspec.structs import replace as with_members

from engine.errors import InvalidCursor
from engine.ids.partitions import partition_of
from engine.ids.triggers import due_occurrence_id, new_occurrence_id
from engine.store import Accepted, Account, HookEvent, NewRecord, Store
from engine.store.redis import keyspace
from engine.store.triggers import keys
from engine.store.triggers.occurrences import KEPT_EVENT_MS, MOST_KEPT_EVENTS
from engine.store.triggers.starting import CHANGED
from engine.triggers.occurrences import (
    MOST_EVENT_BYTES,
    MOST_SKIPPED_EVENTS,
    FailReason,
    Occurrence,
    OccurrenceStatus,
    SkipReason,
)
from engine.triggers.trigger import Trigger
from tests.support.triggers.records import HOOK, SCHEDULE, save_hook, save_schedule
from tests.support.triggers.starts import Starts

EVENT = HookEvent(body={"n": 1}, headers={"x-id": "1"}, query={"q": "a"}, method="POST")
MINUTE = 60_000


def missed(trigger: Trigger, at: int, count: int = 1) -> Occurrence:
    return Occurrence(
        id=due_occurrence_id(trigger.id, at),
        trigger_id=trigger.id,
        at=at,
        status=OccurrenceStatus.MISSED,
        count=count,
    )


def event_of(trigger: Trigger, at: int, reason: str, event: bytes = b"") -> NewRecord:
    is_skipped = reason == SkipReason.CONDITION_FALSE
    occurrence = Occurrence(
        id=new_occurrence_id(),
        trigger_id=trigger.id,
        at=at,
        status=OccurrenceStatus.SKIPPED if is_skipped else OccurrenceStatus.FAILED,
        reason=reason,
    )
    return NewRecord(occurrence, event)


async def outbox(store: Store, account: Account) -> int:
    key = keys.unarchived_occurrences(partition_of(account.id))
    return int(await store.client.send("ZCARD", key))


async def test_due_times_without_a_run_are_on_record_and_the_next_one_follows(
    store: Store, account: Account, starts: Starts
) -> None:
    made = await starts.set_next(await save_schedule(store, account), MINUTE)
    records = [missed(made, MINUTE * number) for number in range(1, 5)]

    is_recorded = await store.occurrences.record_due(made, records, at=MINUTE, next_at=5 * MINUTE)
    again = await store.occurrences.record_due(made, records, at=MINUTE, next_at=6 * MINUTE)
    after = await store.triggers.get(account.id, made.id)

    assert (is_recorded, again) == (True, False)
    assert (after.next_at, after.last) == (5 * MINUTE, records[-1])
    page = await store.occurrences.list(account.id, made.id, None, 50)
    assert page.occurrences == records[::-1]
    assert await outbox(store, account) == 4
    assert await store.occurrences.get(account.id, made.id, records[0].id) == records[0]
    look = await store.client.send("ZSCORE", keys.open_schedules(account.id), made.id)
    assert int(look) == 5 * MINUTE


async def test_a_record_and_a_start_of_one_due_time_at_once_leave_one_occurrence(
    store: Store, account: Account, starts: Starts
) -> None:
    for _ in range(5):
        made = await starts.set_next(await save_schedule(store, account), MINUTE)
        record = store.occurrences.record_due(
            made, [missed(made, MINUTE)], at=MINUTE, next_at=2 * MINUTE
        )
        is_recorded, verdict, *_ = await asyncio.gather(
            record, starts.start_due(made, 2 * MINUTE), starts.start_due(made, 2 * MINUTE)
        )

        page = await store.occurrences.list(account.id, made.id, None, 50)
        [only] = page.occurrences
        assert is_recorded is (only.status is OccurrenceStatus.MISSED)
        assert isinstance(verdict, Accepted) is not is_recorded
        is_started = await store.client.send(
            "EXISTS", keyspace.execution(account.id, only.execution_id or "")
        )
        assert bool(is_started) is not is_recorded


async def test_a_thousand_missed_times_fit_one_call(
    store: Store, account: Account, starts: Starts
) -> None:
    made = await starts.set_next(await save_schedule(store, account), MINUTE)
    records = [missed(made, MINUTE, 7)]
    records += [missed(made, MINUTE * number) for number in range(8, 1_008)]

    assert await store.occurrences.record_due(made, records, at=MINUTE, next_at=None)
    page = await store.occurrences.list(account.id, made.id, OccurrenceStatus.MISSED, 1_000)

    assert page.occurrences == records[:0:-1]
    rest = await store.occurrences.list(
        account.id, made.id, OccurrenceStatus.MISSED, 1_000, page.next_cursor
    )
    assert rest.occurrences == [records[0]] and rest.next_cursor is None
    after = await store.triggers.get(account.id, made.id)
    assert after.next_at is None
    assert await store.client.send("EXISTS", keys.open_schedules(account.id)) == 0


async def test_a_changed_trigger_takes_no_record(
    store: Store, account: Account, starts: Starts
) -> None:
    made = await starts.set_next(await save_schedule(store, account), MINUTE)
    records = [missed(made, MINUTE)]
    other = with_members(made, revision=7)

    assert not await store.occurrences.record_due(other, records, at=MINUTE, next_at=None)
    assert not await store.occurrences.record_due(made, records, at=2 * MINUTE, next_at=None)
    await store.triggers.delete(made)
    assert not await store.occurrences.record_due(made, records, at=MINUTE, next_at=None)
    assert await store.client.send("EXISTS", *keys.occurrence_keys(account.id, made.id)) == 0


async def test_a_held_due_time_is_looked_at_again(
    store: Store, account: Account, starts: Starts
) -> None:
    made = await starts.set_next(await save_schedule(store, account), MINUTE)

    assert await store.occurrences.hold(made, MINUTE, look_at=MINUTE + 500)
    held = await store.triggers.get(account.id, made.id)
    look = await store.client.send("ZSCORE", keys.open_schedules(account.id), made.id)
    assert (held.held, held.next_at, int(look)) == (MINUTE, MINUTE, MINUTE + 500)
    assert isinstance(await starts.start_due(held, 2 * MINUTE), Accepted)
    assert (await store.triggers.get(account.id, made.id)).held is None
    assert not await store.occurrences.hold(held, MINUTE, look_at=MINUTE + 900)

    await store.client.send("HSET", keys.triggers(account.id), f"{made.id}.enabled", "0")
    assert not await store.occurrences.hold(made, 2 * MINUTE, look_at=9)
    assert await store.client.send("ZSCORE", keys.open_schedules(account.id), made.id) is None


async def test_the_newest_skipped_events_are_kept_and_all_are_counted(
    store: Store, account: Account
) -> None:
    made = await save_hook(store, account)
    records = [event_of(made, 1_000 + at, SkipReason.CONDITION_FALSE, b"e") for at in range(130)]

    for record in records:
        assert await store.occurrences.record_event(account.id, record) is None
        assert await store.occurrences.record_event(account.id, record) is None

    page = await store.occurrences.list(account.id, made.id, None, 500)
    kept = [each.occurrence for each in records[-MOST_SKIPPED_EVENTS:]]
    assert page.occurrences == kept[::-1]
    after = await store.triggers.get(account.id, made.id)
    assert (after.skipped, after.last) == (130, records[-1].occurrence)
    hot = await store.client.send("HLEN", keys.occurrences(account.id, made.id))
    assert hot == MOST_SKIPPED_EVENTS
    skipped = keys.occurrences_by_time(account.id, made.id, OccurrenceStatus.SKIPPED.code)
    assert await store.client.send("ZCARD", skipped) == MOST_SKIPPED_EVENTS
    bodies = await store.client.send("HLEN", keys.event_bodies(account.id))
    times = await store.client.send("ZCARD", keys.event_times(account.id))
    assert bodies == times <= MOST_SKIPPED_EVENTS
    assert await outbox(store, account) == 0


async def test_a_failed_event_counts_as_a_call_and_is_refused_beyond_the_limit(
    store: Store, account: Account, starts: Starts
) -> None:
    made = await save_hook(store, account)
    terms = replace(starts.terms, runs_per_minute=1)
    first, second = (event_of(made, at, FailReason.INVALID_INPUTS) for at in (1, 2))

    assert await store.occurrences.record_event(account.id, first, terms) is None
    assert await store.occurrences.record_event(account.id, first, terms) is None
    refused = await store.occurrences.record_event(account.id, second, terms)

    assert refused is not None and refused.reason == "rate_limited"
    assert refused.window is not None and refused.window.is_refused
    page = await store.occurrences.list(account.id, made.id, None, 5)
    assert page.occurrences == [first.occurrence]
    assert await outbox(store, account) == 1


async def test_an_event_of_a_disabled_hook_is_not_on_record(store: Store, account: Account) -> None:
    made = await save_hook(store, account, enabled=False)
    record = event_of(made, 1, FailReason.INVALID_INPUTS)

    assert await store.occurrences.record_event(account.id, record) == CHANGED
    assert await store.occurrences.get(account.id, made.id, record.occurrence.id) is None


async def test_events_are_kept_with_their_occurrence(
    store: Store, account: Account, starts: Starts
) -> None:
    made = await save_hook(store, account)
    failed = event_of(made, 1, FailReason.INVALID_INPUTS, EVENT.pack())
    large = event_of(made, 2, FailReason.INVALID_INPUTS, b"x" * (MOST_EVENT_BYTES + 1))
    for record in (failed, large):
        await store.occurrences.record_event(account.id, record)
    started = await starts.start_event(made, event=EVENT.pack())
    last = (await store.triggers.get(account.id, made.id)).last

    assert await store.occurrences.event(account.id, failed.occurrence) == EVENT
    assert await store.occurrences.event(account.id, large.occurrence) is None
    assert last is not None and isinstance(started, Accepted)
    assert await store.occurrences.event(account.id, last) == EVENT
    await store.client.send("DEL", keyspace.execution(account.id, started.id))
    assert await store.occurrences.event(account.id, last) is None


async def test_an_account_keeps_a_bounded_number_of_events(store: Store, account: Account) -> None:
    hooks = [await save_hook(store, account) for _ in range(2)]
    records = [
        event_of(hooks[number % 2], number, FailReason.INVALID_INPUTS, EVENT.pack())
        for number in range(MOST_KEPT_EVENTS + 10)
    ]
    for record in records:
        await store.occurrences.record_event(account.id, record)

    kept = [await store.occurrences.event(account.id, each.occurrence) for each in records]
    assert kept.count(None) == 10
    assert await store.client.send("HLEN", keys.event_bodies(account.id)) == MOST_KEPT_EVENTS
    assert await store.client.send("PTTL", keys.event_bodies(account.id)) > 0
    assert await store.client.send("PTTL", keys.event_times(account.id)) > 0


async def test_an_event_goes_after_a_day_though_others_come(
    store: Store, account: Account, starts: Starts
) -> None:
    made = await save_hook(store, account)
    old, new = (event_of(made, at, FailReason.INVALID_INPUTS, EVENT.pack()) for at in (1, 2))
    await store.occurrences.record_event(account.id, old)
    written = await starts.now() - KEPT_EVENT_MS - 1
    member = f"{made.id}/{old.occurrence.id}"
    await store.client.send("ZADD", keys.event_times(account.id), "XX", written, member)

    await store.occurrences.record_event(account.id, new)

    assert await store.occurrences.event(account.id, old.occurrence) is None
    assert await store.occurrences.event(account.id, new.occurrence) == EVENT
    assert await store.client.send("HLEN", keys.event_bodies(account.id)) == 1


async def test_lists_are_newest_first_by_status_and_go_on_at_a_cursor(
    store: Store, account: Account, starts: Starts
) -> None:
    made = await save_hook(store, account)
    for at in range(1, 8):
        reason = SkipReason.CONDITION_FALSE if at % 2 else FailReason.INVALID_INPUTS
        await store.occurrences.record_event(account.id, event_of(made, at, reason))
    await starts.start_event(made)

    async def times(status: OccurrenceStatus | None, limit: int) -> list[list[int]]:
        pages, cursor = [], None
        while True:
            page = await store.occurrences.list(account.id, made.id, status, limit, cursor)
            pages.append([each.at for each in page.occurrences])
            if (cursor := page.next_cursor) is None:
                return pages

    pages = await times(None, 3)
    assert [len(each) for each in pages] == [3, 3, 2]
    assert sum(pages, [])[1:] == [7, 6, 5, 4, 3, 2, 1]
    assert await times(OccurrenceStatus.SKIPPED, 3) == [[7, 5, 3], [1]]
    assert await times(OccurrenceStatus.FAILED, 3) == [[6, 4, 2]]
    assert await times(OccurrenceStatus.MISSED, 3) == [[]]
    with pytest.raises(InvalidCursor):
        await store.occurrences.list(account.id, made.id, None, 3, "nonsense")
    other = await store.accounts.create(email="b@example.com", tier=account.tier)
    assert (await store.occurrences.list(other.id, made.id, None, 3)).occurrences == []


async def test_settings_do_not_change_with_occurrences(
    store: Store, account: Account, starts: Starts
) -> None:
    schedule, hook = await save_schedule(store, account), await save_hook(store, account)
    await starts.start_due(await starts.set_next(schedule, 5), 6)
    await starts.start_event(hook)

    found = {each.id: each for each in await store.triggers.list(account.id)}
    assert found[schedule.id].settings == SCHEDULE
    assert found[hook.id].settings == HOOK
