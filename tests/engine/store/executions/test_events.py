"""Watched and unwatched executions on real Redis."""

import random

import pytest

from engine.errors import ExecutionNotFound
from engine.executions.events import BEFORE_ALL, ChildRef, EventId, EventName, read_events
from engine.executions.statuses import ExecutionStatus
from engine.store import CompletionNotifier, Store
from engine.store.executions.events import MAX_ENTRIES, events_topic
from engine.store.redis import keyspace
from engine.store.redis.address import RedisAddress
from tests.support.store.records import FIRST_DONE, SECOND_DONE
from tests.support.store.redis_contents import contents
from tests.support.store.watched_runs import CHANNEL, WORKER, Run, names

# -- unwatched ------------------------------------------------------------------------------------


async def test_an_unwatched_execution_leaves_no_entries(run: Run, store: Store) -> None:
    await run.accept()
    await run.claim()
    is_watched = await run.step(claimed=[0])
    was_published = await run.publish("never heard")
    await run.end()

    record = await store.walks.records(run.account.id, run.id)
    assert (is_watched, was_published) == (False, False)
    assert {"events", "watchers", "progress1", "progress_bytes"} & record.keys() == set()
    assert {b"events", b"progress"} & await names(store) == set()


async def test_an_execution_that_ended_unwatched_always_has_the_same_entries(
    run: Run, store: Store
) -> None:
    await run.accept()
    await run.claim()
    await run.end()
    before = await contents(store.client)

    first = await run.read()

    assert first == await run.read()
    assert await run.read(first[-1].number) == first[-1:]
    assert await contents(store.client) == before
    assert await run.seen() == [
        ("1.1", "execution.started"),
        *(("1.2", "node.started"), ("1.3", "node.finished")),
        *(("1.4", "node.started"), ("1.5", "node.finished")),
        ("2.1", "execution.finished"),
    ]


async def test_a_missing_execution_is_not_found(run: Run, store: Store) -> None:
    with pytest.raises(ExecutionNotFound):
        await store.events.read(run.account.id, "no-such", 1)


async def test_entries_of_children_are_events_and_nodes_are_left_alone(
    run: Run, store: Store
) -> None:
    await run.accept()
    await run.claim()
    await run.read()
    words = ["parent", run.id, "node", "t", "index", "7"]
    key = keyspace.events(run.account.id, run.id)
    for number, (change, status) in enumerate(
        (("started", "processing"), ("finished", "failed")), 2
    ):
        fields = ["child", change, "id", "c-1", *words, "status", status]
        await store.client.send("XADD", key, f"{number}-0", *fields)

    _, *entries = await run.read()

    events = [event for entry in entries for _, event in read_events(entry)]
    assert [(each.name.value, each.status) for each in events] == [
        ("child.started", ExecutionStatus.PROCESSING),
        ("child.finished", ExecutionStatus.FAILED),
    ]
    assert {each.child for each in events} == {ChildRef("c-1", run.id, "t", 7)}


async def test_a_child_of_a_public_workflow_of_others_has_no_events(run: Run, store: Store) -> None:
    await run.accept()
    key = keyspace.execution(run.account.id, run.id)
    await store.client.send("HSET", key, "parent", "p")
    assert (await store.events.read(run.account.id, run.id, 1)).is_child

    await store.client.send("HSET", key, "owner", "acc_2")

    with pytest.raises(ExecutionNotFound):
        await store.events.read(run.account.id, run.id, 1)


# -- watched --------------------------------------------------------------------------------------


async def test_a_late_watcher_gets_past_and_then_new_entries(run: Run) -> None:
    await run.accept()
    await run.claim()
    await run.step(claimed=[0])
    late = await run.seen()

    is_watched = await run.step(settled=FIRST_DONE)
    await run.step(settled=SECOND_DONE, end=ExecutionStatus.COMPLETED)

    assert is_watched
    assert late == [("1.1", "execution.started"), ("1.2", "node.started")]
    assert await run.seen(EventId(1, 2)) == [
        ("2.1", "node.finished"),
        *(("3.1", "node.started"), ("3.2", "node.finished")),
        ("4.1", "execution.finished"),
    ]
    assert await run.seen() == late + await run.seen(EventId(1, 2))


async def test_a_late_watcher_learns_of_a_node_that_waits_for_its_retry(run: Run) -> None:
    await run.accept()
    await run.claim()
    await run.step(claimed=[0])
    await run.step(retrying=[(0, 60_000)])

    (entry,) = await run.read()

    assert [(event.name, event.attempt) for _, event in read_events(entry)] == [
        (EventName.EXECUTION_STARTED, 0),
        (EventName.NODE_STARTED, 1),
        (EventName.NODE_RETRYING, 1),
    ]


async def test_a_watcher_from_the_beginning_misses_nothing(run: Run) -> None:
    await run.accept(CHANNEL)
    await run.claim()
    await run.step(claimed=[0])
    await run.step(retrying=[(0, 250)])
    await run.step(claimed=[0])
    await run.end()

    seen = await run.seen()

    assert seen == [
        ("1.1", "execution.started"),
        ("2.1", "node.started"),
        ("3.1", "node.retrying"),
        ("4.1", "node.started"),
        *(("5.1", "node.finished"), ("5.2", "node.started"), ("5.3", "node.finished")),
        ("6.1", "execution.finished"),
    ]
    entries = {entry.number: entry for entry in await run.read()}
    retrying, again = (read_events(entries[number])[0][1] for number in (3, 4))
    assert (retrying.attempt, retrying.pause_ms, again.attempt) == (1, 250, 2)


async def test_nodes_end_with_a_cancelled_execution(run: Run) -> None:
    await run.accept(CHANNEL)
    await run.claim()
    await run.step(claimed=[0])
    await run.store.executions.cancel(run.account.id, run.id)
    await run.step(end=ExecutionStatus.CANCELLED)

    seen = await run.seen()

    assert seen[1:] == [
        ("2.1", "node.started"),
        *(("3.1", "node.finished"), ("3.2", "node.finished")),
        ("3.3", "execution.finished"),
    ]


@pytest.mark.parametrize("watcher", [None, "", CHANNEL])
async def test_an_execution_cancelled_before_its_start_has_its_events(
    run: Run, watcher: str | None
) -> None:
    await run.accept(watcher)
    await run.store.executions.cancel(run.account.id, run.id)

    names = [name for _, name in await run.seen()]

    assert names == ["execution.started", "node.finished", "node.finished", "execution.finished"]


async def test_a_repeated_step_has_one_entry(run: Run) -> None:
    await run.accept(CHANNEL)
    await run.claim()
    await run.step(claimed=[0])
    run._steps -= 1

    assert await run.step(claimed=[0])
    assert len(await run.seen()) == 2


async def test_a_step_without_nodes_has_no_entry(run: Run) -> None:
    await run.accept(CHANNEL)
    await run.claim()
    await run.step(claimed=[0])
    await run.step(leave=True)

    assert [name for _, name in await run.seen()] == ["execution.started", "node.started"]


async def test_a_node_is_run_again_when_its_worker_was_lost(run: Run) -> None:
    await run.accept(CHANNEL)
    await run.claim()
    await run.step(claimed=[0])
    await run.publish("Hel")
    await run.store.walks.give_back(run.reference, WORKER, is_lost=True)
    await run.claim("w2")
    await run.step("w2", claimed=[0])

    entries = await run.read()

    told = [event for entry in entries for _, event in read_events(entry)][1:]
    assert [(event.name, event.attempt) for event in told] == [
        (EventName.NODE_STARTED, 1),
        (EventName.NODE_TEXT, 1),
        (EventName.NODE_STARTED, 2),
    ]


async def test_many_entries_are_read_a_part_at_a_time(run: Run) -> None:
    await run.accept(CHANNEL)
    await run.claim()
    await run.step(claimed=[0])
    for number in range(2 * MAX_ENTRIES):
        await run.publish("x", number)

    await run.end()

    first, last = [
        await run.store.events.read(run.account.id, run.id, number)
        for number in (1, 2 * MAX_ENTRIES + 1)
    ]

    assert [entry.number for entry in first.entries] == list(range(1, MAX_ENTRIES + 1))
    assert [entry.number - 2 * MAX_ENTRIES for entry in last.entries] == [1, 2, 3, 4]
    assert (first.is_all, last.is_all) == (False, True)
    assert len(await run.seen()) == 2 + 2 * MAX_ENTRIES + 4


@pytest.mark.parametrize("seed", range(3))
async def test_a_resumed_watcher_misses_and_repeats_nothing(run: Run, seed: int) -> None:
    chance = random.Random(seed)
    await run.accept(CHANNEL)
    await run.claim()
    await run.step(claimed=[0])
    readers: list[list[tuple[str, str]]] = [[], [], []]
    after = [BEFORE_ALL, BEFORE_ALL, BEFORE_ALL]
    for number in range(60):
        if chance.random() < 0.3:
            await run.step(retrying=[(0, 0)])
            await run.step(claimed=[0])
        await run.publish("x", number)
        reader = chance.randrange(3)
        seen = await run.seen(after[reader])
        kept = seen[: chance.randint(0, len(seen))]  # the connection breaks in the middle
        readers[reader] += kept
        if kept:
            after[reader] = EventId(*map(int, kept[-1][0].split(".")))

    whole = await run.seen()
    for reader, seen in enumerate(readers):
        assert seen + await run.seen(after[reader]) == whole


# -- notifications --------------------------------------------------------------------------------


async def test_watchers_are_notified_and_absent_ones_are_removed(
    run: Run, store: Store, redis_url: str
) -> None:
    async with CompletionNotifier.open(RedisAddress.parse(redis_url)) as notifier:
        await run.accept(notifier.channel)
        await run.read(1, "hr:notifier:gone")
        with notifier.expecting(events_topic(run.id)) as completion:
            await run.claim()
            await run.step(claimed=[0])

            async def check() -> bool | None:
                return completion.was_notified or None

            assert await completion.wait(check, 5)

        record = await store.walks.records(run.account.id, run.id)
        assert record["watchers"].decode() == f"{notifier.channel},"


async def test_a_watcher_is_known_once(run: Run, store: Store) -> None:
    await run.accept()
    for channel in (CHANNEL, "", CHANNEL, "hr:notifier:other"):
        await run.read(1, channel)

    record = await store.walks.records(run.account.id, run.id)

    assert record["watchers"].decode() == f"{CHANNEL},hr:notifier:other,"


async def test_the_number_of_notified_watchers_is_limited(run: Run, store: Store) -> None:
    await run.accept()
    for number in range(40):
        await run.read(1, f"hr:notifier:{number}")

    record = await store.walks.records(run.account.id, run.id)

    assert record["watchers"].count(b",") == 16
