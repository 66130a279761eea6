"""Memory for media: how many bytes the calls of one process may have in hand at once."""

import asyncio
from collections import deque

from engine.nodes.base import NodeFailed

MEGABYTE = 1_048_576
MOST_BYTES = 128 * MEGABYTE
"""Of what goes out, and as much again of what comes back: while it is packed and unpacked, memory
holds it two or three times."""
EXHAUSTED = "resource_exhausted"


class Room:
    """So many bytes; who finds too few waits, first come first served, until others give back."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most = most
        self._left = most
        self._line: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def left(self) -> int:
        """Bytes that nobody has; less than nothing when some have more than they asked for."""
        return self._left

    async def take(self, size: int, seconds: float) -> None:
        """Wait for so many bytes. Raises NodeFailed when there never are, or not in time."""
        if size > self.most:
            raise too_much(self.most)
        if not self._line and size <= self._left:
            self._left -= size
            return
        turn = asyncio.get_running_loop().create_future()
        self._line.append((size, turn))
        try:
            async with asyncio.timeout(seconds):
                await turn
        except TimeoutError:
            self._withdraw(size, turn)
            message = "Other calls' media left no memory for those of this call in time"
            raise NodeFailed(EXHAUSTED, message, retryable=True) from None
        except BaseException:
            self._withdraw(size, turn)
            raise

    def give(self, size: int) -> None:
        """Have so many bytes no more; less than nothing: have more, whoever waits."""
        self._left += size
        self._serve()

    def _withdraw(self, size: int, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self.give(size)  # it was this call's turn just when it gave up
        else:
            self._line.remove((size, turn))
            self._serve()

    def _serve(self) -> None:
        while self._line and self._line[0][0] <= self._left:
            if self._line[0][1].cancelled():
                return  # it takes itself out of the line in a moment
            size, turn = self._line.popleft()
            self._left -= size
            turn.set_result(None)


class Share:
    """What one call has of a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._size = 0

    @property
    def most(self) -> int:
        """As much as a call may have."""
        return self._room.most

    async def take(self, size: int, seconds: float) -> None:
        """Wait until the call may have so many bytes instead of those it had. Raises NodeFailed."""
        self.free()
        if size:
            await self._room.take(size, seconds)
            self._size = size

    def settle(self, size: int) -> None:
        """It has so many bytes, as is known now. Raises NodeFailed when they are more than any."""
        self._room.give(self._size - size)
        self._size = size
        if size > self.most:
            raise too_much(self.most)

    def free(self) -> None:
        """It has none any more."""
        self._room.give(self._size)
        self._size = 0


def too_much(most: int) -> NodeFailed:
    """The failure of a call that has more than there is for all calls."""
    message = f"The media of this call are over the {most // MEGABYTE} MB that a worker has for all"
    return NodeFailed(EXHAUSTED, message)
