"""Memory for large results: bounds the bytes of them that one process reads and sends at once."""

from functools import partial

from engine.process.account_semaphore import AccountSemaphore
from engine.store import ReserveMemory
from gateway.admission.request_context import RequestContext

MAX_BYTES = 134_217_728
"""Bytes as stored, then as JSON; in between, memory holds one result two or three times."""
SHARES = 4
"""An account may have a quarter, so that its slow readers do not keep answers from others."""
WAIT_SECONDS = 10.0
"""Longest wait for other results to be sent."""


class ResultMemory:
    """Memory of the large results of all answers under way, shared by accounts."""

    def __init__(self) -> None:
        self._bytes = AccountSemaphore(MAX_BYTES, share=MAX_BYTES // SHARES)

    def for_answer(self, context: RequestContext) -> ReserveMemory:
        """Return a function that waits for memory in place of the last, until `release`."""
        return partial(self._reserve, context)

    async def _reserve(self, context: RequestContext, size: int) -> None:
        self.release(context)
        context.result_bytes = await self._bytes.reserve(context.account_id, size, WAIT_SECONDS)

    def settle(self, context: RequestContext, size: int) -> None:
        """Resize the reservation to `size` bytes; nothing happens without one."""
        if context.result_bytes is not None:
            context.result_bytes.resize(size)

    def release(self, context: RequestContext) -> None:
        """Release the reservation once the answer was sent or given up."""
        if context.result_bytes is not None:
            context.result_bytes.release()
            context.result_bytes = None
