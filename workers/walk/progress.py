"""What running nodes tell those who watch their execution; where nobody does, next to nothing.

Pieces are gathered for a moment and leave together, one batch after the other. Before a node is
settled, all that it has told is on record.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from engine.errors import StoreFull, Unavailable
from engine.executions.retry import jittered
from engine.store.executions.claims import ClaimedExecution
from engine.store.executions.events import ExecutionEvents, ProgressUpdate
from engine.store.executions.walks import Advanced
from workers.providers.base import tell_nobody

FLUSH_SECONDS = 0.05
ASK_SECONDS = 1.0
"""How often it is asked whether somebody watches by now, where there is progress to tell."""
RETRY_SECONDS = 0.2
MAX_UNTOLD = 262_144
"""Characters that may wait to be told; the oldest give way."""
MAX_PIECE = 16_384
"""Characters of one entry."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Untold:
    """What one call has given since the last batch."""

    offset: int = 0
    texts: list[str] = field(default_factory=list)
    size: int = 0
    progress: float | None = None

    def begin(self, offset: int) -> int:
        """Text from here on counts; gives the size of what waited and does not."""
        size, self.size = self.size, 0
        self.offset, self.texts = offset, []
        return size

    def tellings(self, index: int, item: int) -> list[ProgressUpdate]:
        """The text in pieces that are not too long, and the progress."""
        text = "".join(self.texts)
        starts = range(0, len(text) or 1, MAX_PIECE) if self.texts else ()
        found = [
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
            found.append(ProgressUpdate(index=index, item=item, offset=None, content=progress))
        return found


class ProgressPublisher:
    """What the nodes of one execution tell, for as long as this worker holds it."""

    def __init__(self, events: ExecutionEvents, claimed: ClaimedExecution) -> None:
        self._events = events
        self._lease = claimed.lease
        self._loop = asyncio.get_running_loop()
        self._untold: dict[tuple[int, int], _Untold] = {}
        self._size = 0
        self._batch = 0
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None
        self.is_watched = "events" in claimed.record

    def note(self, advanced: Advanced) -> None:
        """The answer to a step says whether somebody watches."""
        self.is_watched = self.is_watched or advanced.is_watched

    def of(self, index: int) -> "NodeProgress":
        """For one attempt at one node."""
        return NodeProgress(self, index)

    def add_text(self, index: int, item: int, offset: int, text: str) -> None:
        """Text of a call behind `offset` characters; at 0 it begins, anew if there was some."""
        untold = self._untold.setdefault((index, item), _Untold())
        if offset == 0 or not untold.texts:
            self._size -= untold.begin(offset)
        untold.texts.append(text)
        untold.size += len(text)
        self._size += len(text)
        while self._size > MAX_UNTOLD:
            oldest = next(each for each in self._untold.values() if each.size)
            self._size -= oldest.begin(oldest.offset + oldest.size)
        self._send_later()

    def add_progress(self, index: int, item: int, share: float) -> None:
        """How far a call is, from 0 to 1."""
        self._untold.setdefault((index, item), _Untold()).progress = share
        self._send_later()

    async def flush(self, index: int) -> None:
        """Return once all that a node has told is on record, or nobody is to be told."""
        while self.is_watched and (self._sending is not None or self._of(index)):
            await asyncio.shield(self._send_now())
        for key in self._of(index):
            self._size -= self._untold.pop(key).size

    async def stop(self) -> None:
        """Tell nothing more."""
        self._untold.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    def _of(self, index: int) -> list[tuple[int, int]]:
        return [key for key in self._untold if key[0] == index]

    def _send_later(self) -> None:
        if self._timer is None and self._sending is None:
            pause = FLUSH_SECONDS if self.is_watched else ASK_SECONDS
            self._timer = self._loop.call_later(pause, self._send_now)

    def _send_now(self) -> "asyncio.Task[None]":
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sending is None:
            self._sending = self._loop.create_task(self._send())
        return self._sending

    async def _send(self) -> None:
        untold, self._untold, self._size = self._untold, {}, 0
        try:
            told = [each for key, call in untold.items() for each in call.tellings(*key)]
            if told:
                self._batch += 1
                self.is_watched = await self._tell(told)
        except Exception:
            log.exception("what nodes tell cannot be passed on")
        finally:
            self._sending = None
            if self._untold:
                self._send_later()

    async def _tell(self, told: list[ProgressUpdate]) -> bool:
        while True:
            try:
                return await self._events.publish(self._lease, self._batch, told)
            except StoreFull:
                return self.is_watched  # words on the way give way to what must be kept
            except Unavailable:
                await asyncio.sleep(jittered(RETRY_SECONDS))


class NodeProgress:
    """What one attempt at a node tells, by the item that its calls are for."""

    __slots__ = ("_has_told", "_index", "_offsets", "_publisher")

    def __init__(self, publisher: ProgressPublisher, index: int) -> None:
        self._publisher = publisher
        self._index = index
        self._offsets: dict[int, int] = {}
        self._has_told = False

    def text_of(self, item: int) -> Callable[[str], None]:
        """Takes a call's text piece by piece; `tell_nobody` where nobody watches as it begins."""
        return partial(self._add_text, item) if self._publisher.is_watched else tell_nobody

    def progress_of(self, item: int) -> Callable[[float], None]:
        """Takes a call's progress."""
        return partial(self._add_progress, item)

    async def end(self) -> None:
        """Return once all is on record that there is to tell."""
        if self._has_told:
            await self._publisher.flush(self._index)

    def _add_text(self, item: int, piece: str) -> None:
        before = self._offsets.get(item, 0)
        if piece:
            self._publisher.add_text(self._index, item, before, piece)
            self._offsets[item] = before + len(piece)
        elif before:
            self._publisher.add_text(self._index, item, 0, "")
            self._offsets[item] = 0
        self._has_told = True

    def _add_progress(self, item: int, share: float) -> None:
        self._publisher.add_progress(self._index, item, share)
        self._has_told = True
