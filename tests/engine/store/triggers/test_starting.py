"""Occurrences start in the script that accepts their execution: once, and as the trigger is."""

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as with_members

from engine.errors import TooManyExecutions, WorkflowNotFound
from engine.ids.partitions import partition_of
from engine.ids.triggers import due_occurrence_id, new_occurrence_id, occurrence_execution_id
from engine.store import Accepted, Account, NewOccurrence, OccurrenceRefused, Store
from engine.store.redis import keyspace
from engine.store.triggers import keys
from engine.store.triggers.starting import CHANGED, EVENT_MS, OccurrenceKind
from engine.store.waits.keys import waited
from engine.triggers.occurrences import Occurrence, OccurrenceStatus
from engine.triggers.trigger import Overlap, ScheduleSettings, Trigger
from tests.support.store.redis_contents import contents
from tests.support.triggers.records import SCHEDULE, save_hook, save_schedule
from tests.support.triggers.starts import Starts


@pytest.fixture
async def due(store: Store, account: Account, starts: Starts) -> Trigger:
    """A schedule that is due."""
    made = await save_schedule(store, account)
    return await starts.set_next(made, await starts.now() - 5)


async def listed(store: Store, trigger: Trigger) -> list[tuple[str, str, int]]:
    """Return status, reason and time of the occurrences, newest first."""
    page = await store.occurrences.list(trigger.account_id, trigger.id, None, 50)
    return [(each.status.value, each.reason, each.at) for each in page.occurrences]


async def without_hints(store: Store) -> dict[bytes, Any]:
    """Return all keys but the queues, in which a hint may be doubled."""
    found = await contents(store.client)
    return {key: value for key, value in found.items() if not key.startswith(b"hr:hints")}


async def test_a_due_time_starts_a_run_and_the_next_one_follows(
    store: Store, account: Account, starts: Starts, due: Trigger
) -> None:
    at, next_at = due.next_at or 0, (due.next_at or 0) + 60_000

    started = await starts.start_due(due, next_at)
    after = await store.triggers.get(account.id, due.id)

    occurrence_id = due_occurrence_id(due.id, at)
    assert isinstance(started, Accepted)
    assert started.id == occurrence_execution_id(occurrence_id)
    assert (after.next_at, after.last_run, after.revision) == (next_at, started.id, due.revision)
    assert after.last is not None and after.last.id == occurrence_id
    assert after.last.status is OccurrenceStatus.STARTED
    assert after.last.execution_id == started.id
    assert await listed(store, due) == [("started", "", at)]
    execution = await store.executions.get(account.id, started.id)
    assert (execution.trigger_id, execution.occurrence_id) == (due.id, occurrence_id)
    look = await store.client.send("ZSCORE", keys.open_schedules(account.id), due.id)
    assert int(look) == next_at
    outbox = keys.unarchived_occurrences(partition_of(account.id))
    named = await store.client.send("ZRANGE", outbox, 0, -1)
    assert named == [f"{account.id}/{due.id}/{occurrence_id}".encode()]


@pytest.mark.F56
async def test_twenty_starts_of_a_due_time_at_once_give_one_run(
    store: Store, account: Account, starts: Starts, due: Trigger
) -> None:
    verdicts = await starts.start_at_once(20, due)

    assert all(isinstance(each, Accepted) for each in verdicts)
    assert len({getattr(each, "id", "") for each in verdicts}) == 1
    assert await starts.executions() == 1
    assert len(await listed(store, due)) == 1
    window = await store.rate_windows.current(account.id, "workflows/run", 100)
    assert window.calls == 1


@pytest.mark.F56
async def test_a_due_time_that_has_its_occurrence_starts_none(
    store: Store, account: Account, starts: Starts, due: Trigger
) -> None:
    started = await starts.start_due(due)
    assert isinstance(started, Accepted)
    await store.client.send("DEL", keyspace.execution(account.id, started.id))

    assert await starts.start_due(due) == CHANGED  # though its record has gone to the history
    assert await starts.start_due(with_members(due, next_at=5)) == CHANGED


async def test_a_trigger_that_has_changed_starts_nothing(
    store: Store, account: Account, starts: Starts, due: Trigger
) -> None:
    changed = await store.triggers.replace(
        due, with_members(SCHEDULE, name="Other"), enabled=True, since=0, next_at=None
    )
    assert isinstance(changed, Trigger)

    assert await starts.start_due(due) == CHANGED
    await store.triggers.delete(changed)
    assert await starts.start_due(changed) == CHANGED
    assert await starts.executions() == 0
    left = keys.occurrence_keys(account.id, due.id)
    assert await store.client.send("EXISTS", *left) == 0


async def test_a_disabled_trigger_starts_by_hand_alone(
    store: Store, account: Account, starts: Starts
) -> None:
    made = await save_schedule(store, account, enabled=False)
    at = await starts.now()
    by_hand = NewOccurrence(
        id=new_occurrence_id(), trigger_id=made.id, at=at, kind=OccurrenceKind.BY_HAND
    )

    assert await starts.start_due(with_members(made, next_at=at)) == CHANGED
    assert await starts.start_event(made) == CHANGED
    assert isinstance(await starts.start(by_hand), Accepted)
    assert (await store.triggers.get(account.id, made.id)).next_at is None
    unknown = with_members(by_hand, id=new_occurrence_id(), trigger_id="trg_0123456789ab")
    assert await starts.start(unknown) == CHANGED


async def test_a_start_beside_replacements_and_a_deletion_counts_or_leaves_nothing(
    store: Store, account: Account, starts: Starts
) -> None:
    for number in range(10):
        made = await save_schedule(store, account)
        due = await starts.set_next(made, await starts.now() - 5)
        before = await starts.executions()

        async def remove(trigger: Trigger = due) -> None:
            await store.triggers.delete(trigger)

        acts = (
            [starts.start_due(due), remove()] if number % 2 else [remove(), starts.start_due(due)]
        )
        verdicts = await asyncio.gather(*acts)

        [verdict] = [each for each in verdicts if each is not None]
        started = await starts.executions() - before
        assert started == (1 if isinstance(verdict, Accepted) else 0)
        assert await store.client.send("EXISTS", *keys.occurrence_keys(account.id, due.id)) == 0
        assert await store.client.send("ZSCORE", keys.open_schedules(account.id), due.id) is None


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_beside_a_due_time_has_at_most_one_occurrence(
    store: Store, account: Account, starts: Starts, due: Trigger, seed: int
) -> None:
    at, next_at = due.next_at or 0, (due.next_at or 0) + 60_000
    missed = Occurrence(
        id=due_occurrence_id(due.id, at),
        trigger_id=due.id,
        at=at,
        status=OccurrenceStatus.MISSED,
    )

    def rename(name: str) -> Coroutine[Any, Any, Any]:
        settings = with_members(SCHEDULE, name=name)
        members = {"enabled": True, "since": due.since, "next_at": at}
        return store.triggers.replace(due, settings, **members)

    acts = [
        *(starts.start_due(due, next_at) for _ in range(8)),
        *(rename(f"n{number}") for number in range(4)),
        *(store.occurrences.record_due(due, [missed], at=at, next_at=next_at) for _ in range(4)),
        *(store.occurrences.hold(due, at, look_at=at + 500) for _ in range(4)),
    ]
    random.Random(seed).shuffle(acts)
    await asyncio.gather(*acts)

    after = await store.triggers.get(account.id, due.id)
    occurrences = await listed(store, due)
    assert len(occurrences) == (1 if after.next_at == next_at else 0)
    assert after.next_at in (at, next_at)
    is_started = [status for status, *_ in occurrences] == ["started"]
    assert await starts.executions() == (1 if is_started else 0)
    started = await starts.start_due(after, next_at)  # whoever reads it anew goes on
    assert isinstance(started, Accepted)
    assert await store.client.send("ZSCORE", keys.open_schedules(account.id), due.id) == next_at


async def test_a_schedule_that_may_not_overlap_waits_for_its_last_run(
    store: Store, account: Account, starts: Starts
) -> None:
    settings = ScheduleSettings(cron="* * * * *", overlap=Overlap.SKIP)
    made = await save_schedule(store, account, schedule=settings)
    first = await starts.start_due(await starts.set_next(made, 1_000), 2_000)
    due = await store.triggers.get(account.id, made.id)

    refused = await starts.start_due(due, 3_000)
    assert refused == OccurrenceRefused(reason="still_running")
    await store.client.send("SMOVE", keyspace.active(account.id), waited(account.id), first.id)
    refused = await starts.start_due(due, 3_000)
    assert refused == OccurrenceRefused(reason="still_running")
    assert isinstance(first, Accepted)
    await store.client.send("SREM", waited(account.id), first.id)
    assert isinstance(await starts.start_due(due, 3_000), Accepted)


async def test_a_start_counts_in_the_window_of_runs_and_is_refused_beyond_it(
    store: Store, account: Account, starts: Starts, due: Trigger
) -> None:
    starts.terms = replace(starts.terms, runs_per_minute=2)
    hook = await save_hook(store, account)
    assert isinstance(await starts.start_event(hook, "a"), Accepted)
    assert isinstance(await starts.start_event(hook, "b"), Accepted)

    refused = await starts.start_due(due)
    repeated = await starts.start_event(hook, "a")

    assert isinstance(refused, OccurrenceRefused) and refused.window is not None
    assert (refused.reason, refused.window.limit, refused.window.calls) == ("rate_limited", 2, 3)
    assert 0 < refused.window.seconds_left <= 60
    assert isinstance(repeated, OccurrenceRefused) and repeated.reason == "repeated"
    assert (await store.triggers.get(account.id, due.id)).next_at == due.next_at
    starts.terms = replace(starts.terms, runs_per_minute=3)
    assert isinstance(await starts.start_due(due), Accepted)


async def test_an_account_without_a_limit_counts_nothing(
    store: Store, account: Account, starts: Starts, due: Trigger
) -> None:
    starts.terms = replace(starts.terms, runs_per_minute=None)

    assert isinstance(await starts.start_due(due), Accepted)
    windows = keyspace.windows(partition_of(account.id))
    assert await store.client.send("EXISTS", windows) == 0


async def test_twenty_events_of_one_id_at_once_start_one_run(
    store: Store, account: Account, starts: Starts
) -> None:
    hook = await save_hook(store, account)

    verdicts = await asyncio.gather(*(starts.start_event(hook, "digest") for _ in range(20)))

    [started] = [each for each in verdicts if isinstance(each, Accepted)]
    again = [each for each in verdicts if isinstance(each, OccurrenceRefused)]
    assert again == [OccurrenceRefused(reason="repeated", execution_id=started.id)] * 19
    assert await starts.executions() == 1
    assert len(await listed(store, hook)) == 1
    key = keys.event(account.id, hook.id, "digest")
    assert EVENT_MS - 60_000 < await store.client.send("PTTL", key) <= EVENT_MS
    other = await save_hook(store, account)
    assert isinstance(await starts.start_event(other, "digest"), Accepted)


async def test_an_event_that_is_known_is_told_whatever_else_refuses_it(
    store: Store, account: Account, starts: Starts
) -> None:
    hook = await save_hook(store, account)
    first = await starts.start_event(hook, "digest")
    assert isinstance(first, Accepted)
    starts.terms = replace(starts.terms, executions_at_once=1)

    repeated = await starts.start_event(hook, "digest")
    with pytest.raises(TooManyExecutions):
        await starts.start_event(hook, "other")
    await store.workflows.delete(account.id, starts.saved[0].slug)
    gone = await starts.start_event(hook, "digest")

    known = OccurrenceRefused(reason="repeated", execution_id=first.id)
    assert repeated == gone == known
    with pytest.raises(WorkflowNotFound):
        await starts.start_event(hook, "third")


async def test_a_refused_event_may_come_again(
    store: Store, account: Account, starts: Starts
) -> None:
    hook = await save_hook(store, account)
    terms = starts.terms
    starts.terms = replace(terms, executions_at_once=0)
    with pytest.raises(TooManyExecutions):
        await starts.start_event(hook, "digest")
    starts.terms = terms

    assert isinstance(await starts.start_event(hook, "digest"), Accepted)


async def test_an_event_stands_in_the_record_of_its_execution(
    store: Store, account: Account, starts: Starts
) -> None:
    hook = await save_hook(store, account)

    started = await starts.start_event(hook, event=b"packed event")

    assert isinstance(started, Accepted)
    key = keyspace.execution(account.id, started.id)
    assert await store.client.send("HGET", key, "event") == b"packed event"
    assert await store.client.send("HGET", key, "has_objects") is None


async def test_a_start_whose_reply_was_lost_changes_nothing_when_repeated(
    store: Store, account: Account, starts: Starts, due: Trigger
) -> None:
    hook = await save_hook(store, account)
    event = NewOccurrence(
        id=new_occurrence_id(),
        trigger_id=hook.id,
        at=5,
        kind=OccurrenceKind.EVENT,
        event_digest="digest",
    )
    first = [await starts.start_due(due, 60_000), await starts.start(event)]
    before = await without_hints(store)

    again = [await starts.start_due(due, 60_000), await starts.start(event)]

    assert again == first
    assert await without_hints(store) == before
