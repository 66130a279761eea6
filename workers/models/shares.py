"""Memory for media: what one call has of the bytes that those of its process may have at once."""

from engine.nodes.base import NodeFailed
from engine.room import Room

MEGABYTE = 1_048_576
MOST_BYTES = 128 * MEGABYTE
"""Of what goes out, and as much again of what comes back: while it is packed and unpacked, memory
holds it two or three times."""
EXHAUSTED = "resource_exhausted"


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
        """Wait until the call may have so many bytes instead of those it had.

        Raises NodeFailed when it never may, or not in time.
        """
        self.free()
        if size > self.most:
            raise too_much(self.most)
        if not size:
            return
        try:
            await self._room.take(size, seconds)
        except TimeoutError:
            message = "Other calls' media left no memory for those of this call in time"
            raise NodeFailed(EXHAUSTED, message, retryable=True) from None
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
