"""Updates of running nodes: gathered, in order, once, bounded, and none without watchers."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import cast

import pytest

from engine.errors import StoreFull, Unavailable
from engine.store.children.keys import GroupRef
from engine.store.executions.advance import Advanced, Verdict
from engine.store.executions.claim import Lease
from engine.store.executions.events import ExecutionEvents, ProgressUpdate
from tests.support.eventually import eventually
from tests.support.workers.claimed_execution import CLAIMED
from workers.nodes import progress
from workers.nodes.progress import ProgressPublisher, RelayedProgress
from workers.providers.base import ignore_update

WATCHED: Mapping[str, bytes] = MappingProxyType({"events": b"1"})
UNWATCHED: Mapping[str, bytes] = MappingProxyType({})


class RecordedEvents(ExecutionEvents):
    """Remembers batches; a test defines the first replies."""

    def __init__(self, *answers: bool | Exception) -> None:
        self._answers = list(answers)
        self.batches: list[tuple[int, list[ProgressUpdate]]] = []
        self.times: list[float] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def publish(self, lease: Lease, batch: int, updates: Sequence[ProgressUpdate]) -> bool:
        self.batches.append((batch, list(updates)))
        self.times.append(asyncio.get_running_loop().time())
        await self.gate.wait()
        answer = self._answers.pop(0) if self._answers else True
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def told(self) -> list[tuple[int, int, int | None, str]]:
        """All updates, in order."""
        every = (each for _, batch in self.batches for each in batch)
        return [(each.index, each.item, each.offset, each.content) for each in every]

    async def has(self, count: int) -> int:
        """Wait until there were this many batches."""

        async def seen() -> int:
            return len(self.batches)

        return await eventually(seen, lambda found: found >= count)


def publisher(events: RecordedEvents, record: Mapping[str, bytes] = WATCHED) -> ProgressPublisher:
    return ProgressPublisher(cast(ExecutionEvents, events), replace(CLAIMED, record=record))


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(progress, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(progress, "RETRY_SECONDS", 0.01)


async def test_pieces_of_a_moment_are_joined_and_published_in_order() -> None:
    events = RecordedEvents()
    node = publisher(events).for_node(3)
    tell = node.text_of(0)

    for piece in ("Once", " upon", " a time"):
        tell(piece)
    await events.has(1)
    tell(", there")
    await node.end()

    assert events.told == [(3, 0, 0, "Once upon a time"), (3, 0, 16, ", there")]
    assert [batch for batch, _ in events.batches] == [1, 2]


async def test_the_calls_of_a_node_are_distinguished() -> None:
    events = RecordedEvents()
    node = publisher(events).for_node(0)

    node.text_of(0)("a")
    node.text_of(1)("bc")
    node.text_of(0)("d")
    node.progress_of(2)(0.5)
    await node.end()

    assert events.told == [(0, 0, 0, "ad"), (0, 1, 0, "bc"), (0, 2, None, "0.5")]


async def test_of_progress_the_latest_counts() -> None:
    events = RecordedEvents()
    node = publisher(events).for_node(0)

    for share in (0.1, 0.25, 1 / 3):
        node.progress_of(0)(share)
    await node.end()

    assert events.told == [(0, 0, None, "0.3333")]


async def test_texts_that_began_anew_take_no_room_from_the_one_that_counts() -> None:
    events = RecordedEvents()
    node = publisher(events).for_node(0)
    tell, text = node.text_of(0), "x" * progress.MAX_PIECE

    for _ in range(progress.MAX_PENDING // progress.MAX_PIECE):
        tell(text)
        tell("")
    tell(text)
    await node.end()

    assert events.told == [(0, 0, 0, text)]


async def test_texts_that_nobody_watched_take_no_room_from_later_ones() -> None:
    events = RecordedEvents()
    published = publisher(events, record={})
    text = "x" * progress.MAX_PIECE

    for _ in range(progress.MAX_PENDING // progress.MAX_PIECE):
        published.add_text(0, 0, 0, text)
        await published.flush(0)
    published.add_text(1, 0, 0, text)
    published.is_watched = True
    await published.flush(1)

    assert events.told == [(1, 0, 0, text)]


async def test_a_text_that_begins_anew_does_so_at_nought() -> None:
    events = RecordedEvents()
    node = publisher(events).for_node(0)
    tell = node.text_of(0)

    tell("")
    tell("wrong")
    tell("")
    tell("rig")
    await events.has(1)
    tell("ht")
    await events.has(2)
    tell("")
    await node.end()

    assert events.told == [(0, 0, 0, "rig"), (0, 0, 3, "ht"), (0, 0, 0, "")]


async def test_all_updates_of_a_node_are_recorded_when_it_has_ended() -> None:
    events = RecordedEvents()
    made = publisher(events)
    node, other = made.for_node(0), made.for_node(1)
    node.text_of(0)("first")
    await events.has(1)
    events.gate.clear()
    node.text_of(0)(" second")
    await events.has(2)
    node.text_of(0)(" third")
    other.progress_of(0)(0.1)

    ending = asyncio.create_task(node.end())
    await asyncio.sleep(0.05)
    assert not ending.done()
    events.gate.set()
    await ending

    assert [each[3] for each in events.told] == ["first", " second", " third", "0.1"]


async def test_a_batch_that_may_be_lost_is_sent_again_as_it_was() -> None:
    events = RecordedEvents(Unavailable(), Unavailable())
    node = publisher(events).for_node(0)

    node.text_of(0)("a")
    await events.has(1)
    node.text_of(0)("b")
    await node.end()

    first = (1, [ProgressUpdate(index=0, item=0, offset=0, content="a")])
    assert events.batches[:3] == [first] * 3
    assert events.batches[3:] == [(2, [ProgressUpdate(index=0, item=0, offset=1, content="b")])]


async def test_words_give_way_to_a_store_that_is_full() -> None:
    events = RecordedEvents(StoreFull())
    node = publisher(events).for_node(0)

    node.text_of(0)("lost")
    await events.has(1)
    node.text_of(0)("found")
    await node.end()

    assert events.told == [(0, 0, 0, "lost"), (0, 0, 4, "found")]


async def test_the_oldest_texts_are_dropped_when_they_cannot_be_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "MAX_PENDING", 10)
    events = RecordedEvents()
    made = publisher(events)
    first, second = made.for_node(0), made.for_node(1)
    for _ in range(3):
        first.text_of(0)("12345")
    for _ in range(40):
        second.text_of(0)("67")

    await first.end()
    await second.end()

    told = {(index, offset): text for index, _, offset, text in events.told}
    assert sum(len(text) for text in told.values()) <= 10
    (offset,) = [offset for index, offset in told if index == 1]
    assert offset is not None
    assert offset + len(told[(1, offset)]) == 80


async def test_a_large_piece_is_published_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MAX_PIECE", 4)
    events = RecordedEvents()
    node = publisher(events).for_node(0)

    node.text_of(0)("123456789")
    await node.end()

    assert [each[2:] for each in events.told] == [(0, "1234"), (4, "5678"), (8, "9")]


async def test_without_watchers_no_text_is_asked_for_or_published() -> None:
    events = RecordedEvents()
    node = publisher(events, UNWATCHED).for_node(0)

    assert node.text_of(0) is ignore_update
    await node.end()
    assert events.batches == []


async def test_progress_polls_for_watchers_now_and_then() -> None:
    events = RecordedEvents(False, True)
    made = publisher(events, UNWATCHED)
    node = made.for_node(0)
    for share in range(5):
        node.progress_of(0)(share / 10)
    assert events.batches == []

    await events.has(1)
    node.progress_of(0)(0.7)
    await events.has(2)

    assert [each[3] for each in events.told] == ["0.4", "0.7"]
    assert events.times[1] - events.times[0] > 0.9 * progress.POLL_SECONDS
    assert node.text_of(0) is not ignore_update


async def test_a_node_that_ends_before_the_first_poll_sends_nothing() -> None:
    events = RecordedEvents()
    made = publisher(events, UNWATCHED)
    node = made.for_node(0)
    node.progress_of(0)(0.5)

    await node.end()
    await asyncio.sleep(0.05)
    await made.stop()

    assert events.batches == []


async def test_the_reply_to_a_step_says_that_the_execution_is_watched() -> None:
    made = publisher(RecordedEvents(), UNWATCHED)

    made.note_step(Advanced(Verdict.OK, "r", 0))
    before = made.is_watched
    made.note_step(Advanced(Verdict.OK, "r", 0, is_watched=True))
    made.note_step(Advanced(Verdict.CONFLICT))

    assert (before, made.is_watched) == (False, True)


async def test_a_worker_that_lost_the_lease_publishes_nothing_more() -> None:
    events = RecordedEvents(False)
    node = publisher(events).for_node(0)
    tell = node.text_of(0)
    tell("a")
    await events.has(1)

    tell("b")
    await node.end()

    assert [each[3] for each in events.told] == ["a"]


async def test_an_error_of_publishing_is_logged_and_the_node_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    events = RecordedEvents(RuntimeError("a bug"))
    node = publisher(events).for_node(0)

    node.text_of(0)("a")
    await node.end()

    assert "cannot be published" in caplog.text


async def test_pending_updates_are_dropped_when_the_walk_stops() -> None:
    events = RecordedEvents()
    made = publisher(events)
    made.for_node(0).text_of(0)("a")

    await made.stop()
    await asyncio.sleep(0.03)

    assert events.batches == []


# -- of children, told in the stream of their parent ----------------------------------------------


class RelayedEvents(RecordedEvents):
    """Remembers the batches that are told to the watchers of the parent."""

    def __init__(self, *, is_watched: bool) -> None:
        super().__init__()
        self.parent_is_watched = is_watched
        self.relayed: list[tuple[int, list[ProgressUpdate]]] = []

    async def is_watched(self, group: GroupRef) -> bool:
        return self.parent_is_watched

    async def relay(
        self, lease: Lease, group: GroupRef, batch: int, updates: Sequence[ProgressUpdate]
    ) -> bool:
        self.relayed.append((batch, list(updates)))
        return self.parent_is_watched


def relaying(events: RelayedEvents, record: Mapping[str, bytes] = UNWATCHED) -> RelayedProgress:
    group = GroupRef("acc", "exec_parent", 2, "exec_parent")
    return RelayedProgress(cast(ExecutionEvents, events), replace(CLAIMED, record=record), group)


async def test_text_of_a_child_goes_to_the_watchers_of_its_parent() -> None:
    events = RelayedEvents(is_watched=True)
    relayed = relaying(events)
    await relayed.look()
    node = relayed.for_node(1)

    node.text_of(0)("Hello")
    node.progress_of(0)(0.5)
    await node.end()

    assert [[each.content for each in batch] for _, batch in events.relayed] == [["Hello"]]
    assert events.batches == []


async def test_text_of_a_child_goes_to_its_own_watchers_too() -> None:
    events = RelayedEvents(is_watched=True)
    relayed = relaying(events, WATCHED)
    await relayed.look()
    node = relayed.for_node(1)

    node.text_of(0)("Hello")
    await node.end()

    assert len(events.relayed) == len(events.batches) == 1


async def test_without_watchers_of_both_no_text_is_taken() -> None:
    relayed = relaying(RelayedEvents(is_watched=False))
    await relayed.look()

    assert relayed.for_node(1).text_of(0) is ignore_update


async def test_one_who_comes_to_watch_the_child_is_told() -> None:
    events = RelayedEvents(is_watched=False)
    relayed = relaying(events)
    await relayed.look()
    relayed.note_step(Advanced(Verdict.OK, is_watched=True))
    node = relayed.for_node(1)

    node.text_of(0)("Hello")
    await node.end()

    assert len(events.batches) == 1


async def test_a_store_that_is_away_leaves_the_parent_unwatched() -> None:
    class Away(RelayedEvents):
        async def is_watched(self, group: GroupRef) -> bool:
            raise Unavailable

    relayed = relaying(Away(is_watched=True))
    await relayed.look()

    assert not relayed.is_watched
