"""Memory for media of model calls: the bytes of one call, out of those of its process."""

from engine.errors.nodes import NodeFailed
from engine.process.byte_semaphore import ByteReservation

MEGABYTE = 1_048_576
MAX_BYTES = 128 * MEGABYTE
"""Most bytes of media sent, and as many again of media received, in one process.

Media that are packed or unpacked take two or three times their bytes in memory.
"""
EXHAUSTED = "resource_exhausted"


class MediaReservation(ByteReservation):
    """Bytes reserved for media of one call, in one direction."""

    async def acquire(self, size: int, seconds: float) -> None:
        """Wait for `size` bytes, instead of those reserved before.

        Raises NodeFailed when `size` is over the limit, or after the time.
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
        """Set the reserved bytes without waiting. Raises NodeFailed when over the limit."""
        super().resize(size)
        if size > self.limit:
            raise exhausted(self.limit)


def exhausted(max_bytes: int) -> NodeFailed:
    """Return the failure of a call whose media are over the limit of the process."""
    message = (
        f"The media of this call are over the {max_bytes // MEGABYTE} MB that a worker has for all"
    )
    return NodeFailed(EXHAUSTED, message)
