"""Text and progress of running nodes on real Redis."""

import pytest

from engine.executions.events import EventName, ProgressEntry
from engine.store import Store
from engine.store.executions import events as store_events
from engine.store.redis import keyspace
from tests.support.store.records import FIRST_DONE
from tests.support.store.watched_runs import CHANNEL, WORKER, Run, names


async def test_a_repeated_batch_is_published_once(run: Run) -> None:
    await run.accept(CHANNEL)
    await run.claim()
    await run.step(claimed=[0])

    first = [await run.publish("Hello", batch=2) for _ in range(3)]
    late = await run.publish("Hel", batch=1)

    assert (first, late) == ([True] * 3, True)
    assert [name for _, name in await run.seen()].count("node.token") == 1


async def test_updates_of_another_workers_node_are_ignored(run: Run) -> None:
    await run.accept(CHANNEL)
    await run.claim()
    await run.step(claimed=[0])

    assert await run.publish("not claimed", index=1)
    await run.step(settled=FIRST_DONE)
    assert await run.publish("settled")
    await run.store.walks.give_back(run.reference, WORKER, is_lost=False)
    assert not await run.publish("not held")
    assert "node.token" not in [name for _, name in await run.seen()]


async def test_a_helping_worker_publishes_its_own_nodes_alone(run: Run) -> None:
    await run.accept(CHANNEL)
    await run.claim()
    await run.step(claimed=[0], shares_work=True)
    await run.claim("w2")
    await run.step("w2", claimed=[1])

    assert await run.publish("another's", index=0, worker="w2")
    assert await run.publish("its own", index=1, worker="w2")

    told = [entry.event.text for entry in await run.read() if isinstance(entry, ProgressEntry)]
    assert told == ["its own"]


async def test_text_and_progress_are_read_as_published(run: Run) -> None:
    await run.accept(CHANNEL)
    await run.claim()
    await run.step(claimed=[0])
    await run.publish("né\n", 4)
    await run.publish("0.25", None)

    text, progress = (entry.event for entry in await run.read() if isinstance(entry, ProgressEntry))

    assert (text.name, text.index, text.attempt) == (EventName.NODE_TEXT, 0, 1)
    assert (text.text, text.offset) == ("né\n", 4)
    assert (progress.name, progress.progress) == (EventName.NODE_PROGRESS, 0.25)


@pytest.mark.parametrize(
    ("limit", "kept"), [("MAX_PROGRESS_ENTRIES", 5), ("MAX_PROGRESS_BYTES", 5)]
)
async def test_only_the_oldest_progress_is_dropped(
    run: Run, monkeypatch: pytest.MonkeyPatch, limit: str, kept: int
) -> None:
    monkeypatch.setattr(store_events, limit, kept if limit == "MAX_PROGRESS_ENTRIES" else 4 * kept)
    await run.accept(CHANNEL)
    await run.claim()
    await run.step(claimed=[0])
    for number in range(3 * kept):
        await run.publish("word", 4 * number)
    await run.end()

    entries = await run.read()

    offsets = [entry.event.offset for entry in entries if isinstance(entry, ProgressEntry)]
    assert offsets == [4 * number for number in range(2 * kept, 3 * kept)]
    assert [name for _, name in await run.seen() if name != "node.token"] == [
        *("execution.started", "node.started", "node.finished"),
        *("node.started", "node.finished", "execution.finished"),
    ]


async def test_progress_expires_and_the_rest_goes_with_the_execution(
    run: Run, store: Store
) -> None:
    await run.accept(CHANNEL)
    await run.claim()
    await run.step(claimed=[0])
    await run.publish("word")
    await run.end()

    told = keyspace.progress(run.account.id, run.id)
    left = int(await store.client.send("PTTL", told))
    assert 0 < left <= store_events.KEEP_PROGRESS_MS
    assert int(await store.client.send("PTTL", keyspace.events(run.account.id, run.id))) == -1
    assert (await store.leases.prune(await store.leases.now() + 1)).executions == 1
    assert {b"events", b"progress"} & await names(store) == set()
