"""Text of a child in the stream of its parent, as text of the node that waits for it."""

from engine.executions.events import EventName, ProgressEntry
from engine.store import Store
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.events import ProgressUpdate
from tests.support.store.child_runs import NODE, ChildRuns
from tests.support.store.watched_runs import CHANNEL


async def relay(
    store: Store, child: ClaimedExecution, text: str, offset: int = 0, batch: int = 1
) -> bool:
    update = ProgressUpdate(index=7, item=0, offset=offset, content=text)
    assert child.group is not None
    return await store.events.relay(child.lease, child.group, batch, [update])


async def texts(runs: ChildRuns, store: Store) -> list[tuple[int, int, int, int | None, str]]:
    """Return the texts in the stream of the parent, and watch it."""
    page = await store.events.read(runs.account.id, runs.root_id, 1, CHANNEL)
    events = [entry.event for entry in page.entries if isinstance(entry, ProgressEntry)]
    assert {each.name for each in events} <= {EventName.NODE_TEXT}
    return [(each.index, each.attempt, each.item, each.offset, each.text) for each in events]


async def begin_child(runs: ChildRuns) -> ClaimedExecution:
    """Begin a child of a parent that waits for it."""
    await runs.open(1)
    await runs.park()
    await runs.begin(0)
    return await runs.claim_child(0)


async def test_text_is_that_of_the_node_that_waits(runs: ChildRuns, store: Store) -> None:
    await texts(runs, store)
    child = await begin_child(runs)

    assert await relay(store, child, "Hel")
    assert await relay(store, child, "lo", 3, batch=2)

    assert await texts(runs, store) == [(NODE, 1, 0, 0, "Hel"), (NODE, 1, 0, 3, "lo")]


async def test_a_repeated_batch_is_told_once(runs: ChildRuns, store: Store) -> None:
    await texts(runs, store)
    child = await begin_child(runs)

    assert [await relay(store, child, "Hello") for _ in range(3)] == [True] * 3

    assert len(await texts(runs, store)) == 1


async def test_without_a_watcher_nothing_is_told(runs: ChildRuns, store: Store) -> None:
    child = await begin_child(runs)
    assert child.group is not None

    assert not await store.events.is_watched(child.group)
    assert not await relay(store, child, "Hello")

    assert await texts(runs, store) == []
    assert await store.events.is_watched(child.group)


async def test_a_worker_that_has_lost_the_child_tells_nothing(
    runs: ChildRuns, store: Store
) -> None:
    await texts(runs, store)
    child = await begin_child(runs)
    await store.walks.give_back(child.lease.reference, "w2", is_lost=True)

    assert not await relay(store, child, "late")

    assert await texts(runs, store) == []


async def test_a_parent_that_has_ended_is_told_nothing(runs: ChildRuns, store: Store) -> None:
    await texts(runs, store)
    child = await begin_child(runs)
    await store.executions.cancel(runs.account.id, runs.root_id)

    assert not await relay(store, child, "late")
