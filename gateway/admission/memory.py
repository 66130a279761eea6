"""Memory for large results: bounds the bytes of them that one process reads and sends at once."""

from functools import partial

from starlette.types import Scope

from engine.process.byte_semaphore import ByteReservation, ByteSemaphore
from engine.store import ReserveMemory

MAX_BYTES = 134_217_728
"""Bytes as stored, then as JSON; in between, memory holds one result two or three times."""
WAIT_SECONDS = 5.0
"""Longest wait for other results to be sent."""
RESERVATION = "result_reservation"
"""Key of the request's reservation in its scope."""


class ResultMemory:
    """Memory of the large results of all answers under way."""

    def __init__(self) -> None:
        self._semaphore = ByteSemaphore(MAX_BYTES)

    def for_answer(self, scope: Scope) -> ReserveMemory:
        """Return a function that waits for memory until `free`, replacing the last reservation."""
        return partial(self._hold, scope)

    async def _hold(self, scope: Scope, size: int) -> None:
        self.free(scope)
        reservation = ByteReservation(self._semaphore)
        await reservation.acquire(min(size, reservation.limit), WAIT_SECONDS)
        scope[RESERVATION] = reservation

    def settle(self, scope: Scope, size: int) -> None:
        """Resize the reservation to `size` bytes; nothing happens without one."""
        if RESERVATION in scope:
            scope[RESERVATION].resize(size)

    def free(self, scope: Scope) -> None:
        """Release the reservation once the answer was sent or given up."""
        if RESERVATION in scope:
            scope.pop(RESERVATION).release()
