"""Memory for large request bodies: bounds the bytes of them that one process holds at once."""

from engine.errors import Unavailable
from engine.process.account_semaphore import AccountSemaphore
from gateway.admission.request_context import RequestContext

MAX_BYTES = 67_108_864
"""Bytes as sent; with the values made of it, a body takes four times its size."""
SHARES = 4
"""An account may have a quarter, so that its slow callers do not keep those of others out."""
WAIT_SECONDS = 10.0


class BodyMemory:
    """Memory of the large bodies that are neither accepted nor answered yet."""

    def __init__(self) -> None:
        self._bytes = AccountSemaphore(MAX_BYTES, share=MAX_BYTES // SHARES)

    async def reserve(self, context: RequestContext, size: int) -> None:
        """Reserve memory for the request until `release`. Raises Unavailable.

        Requests of unknown accounts count together.
        """
        try:
            reserved = await self._bytes.reserve(context.account_id, size, WAIT_SECONDS)
        except TimeoutError:
            raise Unavailable("Too many large bodies are sent at once") from None
        context.body_bytes = reserved

    def release(self, context: RequestContext) -> None:
        """Release the memory of the request's body; nothing happens without any."""
        if context.body_bytes is not None:
            context.body_bytes.release()
            context.body_bytes = None
