"""Memory for media of model calls: the bytes that one call holds of those of its process."""

from engine.errors.nodes import NodeFailed
from engine.process.byte_semaphore import ByteReservation

MEGABYTE = 1_048_576
MAX_BYTES = 128 * MEGABYTE
"""Of what goes out, and as much again of what comes back: while it is packed and unpacked, memory
holds it two or three times."""
EXHAUSTED = "resource_exhausted"


class MediaReservation(ByteReservation):
    """The bytes of media that one call holds, one way."""

    async def acquire(self, size: int, seconds: float) -> None:
        """Wait for `size` bytes in place of those held before.

        Raises NodeFailed when there never are as many, or not in time.
        """
        self.release()
        if size > self.limit:
            raise exhausted(self.limit)
        if not size:
            return
        try:
            await super().acquire(size, seconds)
        except TimeoutError:
            message = "Other calls' media left no memory for those of this call in time"
            raise NodeFailed(EXHAUSTED, message, retryable=True) from None

    def resize(self, size: int) -> None:
        """Hold `size` bytes, as is known now. Raises NodeFailed when there never are as many."""
        super().resize(size)
        if size > self.limit:
            raise exhausted(self.limit)


def exhausted(max_bytes: int) -> NodeFailed:
    """The failure of a call that has more than there is for all calls."""
    message = (
        f"The media of this call are over the {max_bytes // MEGABYTE} MB that a worker has for all"
    )
    return NodeFailed(EXHAUSTED, message)
