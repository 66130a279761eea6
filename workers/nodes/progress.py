"""Progress and text of running nodes, for watchers of their execution.

Pieces are gathered for a short time and sent together, one batch after the other. Before a node is
settled, all its updates are on record. Without watchers next to nothing is sent.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from engine.errors import StoreFull, Unavailable
from engine.executions.retry import jittered
from engine.store.children.keys import GroupRef
from engine.store.executions.advance import Advanced
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.events import ExecutionEvents, ProgressUpdate
from workers.providers.base import ignore_update

FLUSH_SECONDS = 0.05
POLL_SECONDS = 1.0
"""Pause between questions to the store for watchers, while there is progress to publish."""
RETRY_SECONDS = 0.2
MAX_PENDING = 262_144
"""Characters that may wait to be sent; the oldest are dropped."""
MAX_PIECE = 16_384
"""Characters of one entry."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _PendingProgress:
    """Text and progress of one call since the last batch."""

    offset: int = 0
    texts: list[str] = field(default_factory=list)
    size: int = 0
    progress: float | None = None

    def begin(self, offset: int) -> int:
        """Start the text at `offset`; returns the size of the dropped text."""
        size, self.size = self.size, 0
        self.offset, self.texts = offset, []
        return size

    def updates(self, index: int, item: int) -> list[ProgressUpdate]:
        """Return the text in pieces of limited length, and the progress."""
        text = "".join(self.texts)
        starts = range(0, len(text) or 1, MAX_PIECE) if self.texts else ()
        pieces = [
            ProgressUpdate(
                index=index,
                item=item,
                offset=self.offset + start,
                content=text[start : start + MAX_PIECE],
            )
            for start in starts
        ]
        if self.progress is not None:
            progress = f"{self.progress:.4g}"
            pieces.append(ProgressUpdate(index=index, item=item, offset=None, content=progress))
        return pieces


class ProgressPublisher:
    """Publishes text and progress of one execution's nodes while this worker holds it."""

    def __init__(self, events: ExecutionEvents, claimed: ClaimedExecution) -> None:
        self._events = events
        self._lease = claimed.lease
        self._loop = asyncio.get_running_loop()
        self._pending: dict[tuple[int, int], _PendingProgress] = {}
        self._size = 0
        self._batch = 0
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None
        self.is_watched = "events" in claimed.record

    def note_step(self, advanced: Advanced) -> None:
        """Note from the reply to a step whether the execution is watched."""
        self.is_watched = self.is_watched or advanced.is_watched

    def for_node(self, index: int) -> "NodeProgress":
        """Return the publisher of one attempt at one node."""
        return NodeProgress(self, index)

    def add_text(self, index: int, item: int, offset: int, text: str) -> None:
        """Add a call's text after `offset` characters; offset 0 replaces earlier text."""
        pending = self._pending.setdefault((index, item), _PendingProgress())
        if offset == 0 or not pending.texts:
            self._size -= pending.begin(offset)
        pending.texts.append(text)
        pending.size += len(text)
        self._size += len(text)
        while self._size > MAX_PENDING:
            oldest = next(each for each in self._pending.values() if each.size)
            self._size -= oldest.begin(oldest.offset + oldest.size)
        self._schedule()

    def add_progress(self, index: int, item: int, fraction: float) -> None:
        """Set the completed share of a call, from 0 to 1."""
        self._pending.setdefault((index, item), _PendingProgress()).progress = fraction
        self._schedule()

    async def flush(self, index: int) -> None:
        """Wait until all updates of a node are on record, or the execution has no watcher."""
        while self.is_watched and (self._sending is not None or self._keys_of(index)):
            await asyncio.shield(self._send_now())
        for key in self._keys_of(index):
            self._size -= self._pending.pop(key).size

    async def stop(self) -> None:
        """Publish no further updates."""
        self._pending.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    def _keys_of(self, index: int) -> list[tuple[int, int]]:
        return [key for key in self._pending if key[0] == index]

    def _schedule(self) -> None:
        if self._timer is None and self._sending is None:
            pause = FLUSH_SECONDS if self.is_watched else POLL_SECONDS
            self._timer = self._loop.call_later(pause, self._send_now)

    def _send_now(self) -> "asyncio.Task[None]":
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sending is None:
            self._sending = self._loop.create_task(self._send())
        return self._sending

    async def _send(self) -> None:
        pending, self._pending, self._size = self._pending, {}, 0
        try:
            updates = [each for key, call in pending.items() for each in call.updates(*key)]
            if updates:
                self._batch += 1
                self.is_watched = await self._publish(updates)
        except Exception:
            log.exception("progress of nodes cannot be published")
        finally:
            self._sending = None
            if self._pending:
                self._schedule()

    async def _publish(self, updates: list[ProgressUpdate]) -> bool:
        while True:
            try:
                return await self._try_publish(updates)
            except StoreFull:
                return self.is_watched  # updates are dropped in favour of records
            except Unavailable:
                await asyncio.sleep(jittered(RETRY_SECONDS))

    async def _try_publish(self, updates: list[ProgressUpdate]) -> bool:
        """Return whether anybody watches. Raises StoreFull or Unavailable."""
        return await self._events.publish(self._lease, self._batch, updates)


class RelayedProgress(ProgressPublisher):
    """Publishes text of a child to the watchers of its parent too, as that of the parent's node."""

    def __init__(self, events: ExecutionEvents, claimed: ClaimedExecution, group: GroupRef) -> None:
        super().__init__(events, claimed)
        self._group = group
        self._has_own = self.is_watched
        """Somebody watches the child itself."""

    async def look(self) -> None:
        """Find out whether anybody watches: only then a model is asked for a stream."""
        with contextlib.suppress(Unavailable):
            self.is_watched = self._has_own or await self._events.is_watched(self._group)

    def note_step(self, advanced: Advanced) -> None:
        self._has_own = self._has_own or advanced.is_watched
        super().note_step(advanced)

    async def _try_publish(self, updates: list[ProgressUpdate]) -> bool:
        texts = [each for each in updates if each.offset is not None]
        is_relayed = bool(texts) and await self._events.relay(
            self._lease, self._group, self._batch, texts
        )
        return (self._has_own and await super()._try_publish(updates)) or is_relayed


class NodeProgress:
    """Publishes text and progress of one attempt at a node, by item."""

    __slots__ = ("_has_published", "_index", "_offsets", "_publisher")

    def __init__(self, publisher: ProgressPublisher, index: int) -> None:
        self._publisher = publisher
        self._index = index
        self._offsets: dict[int, int] = {}
        self._has_published = False

    def text_of(self, item: int) -> Callable[[str], None]:
        """Return a function that takes a call's text, `ignore_update` without watchers."""
        return partial(self._add_text, item) if self._publisher.is_watched else ignore_update

    def progress_of(self, item: int) -> Callable[[float], None]:
        """Return a function that takes a call's progress."""
        return partial(self._add_progress, item)

    async def end(self) -> None:
        """Wait until all updates are on record."""
        if self._has_published:
            await self._publisher.flush(self._index)

    def _add_text(self, item: int, piece: str) -> None:
        before = self._offsets.get(item, 0)
        if piece:
            self._publisher.add_text(self._index, item, before, piece)
            self._offsets[item] = before + len(piece)
        elif before:
            self._publisher.add_text(self._index, item, 0, "")
            self._offsets[item] = 0
        self._has_published = True

    def _add_progress(self, item: int, fraction: float) -> None:
        self._publisher.add_progress(self._index, item, fraction)
        self._has_published = True
