"""Memory for large request bodies: bounds the bytes of them that one process holds at once."""

from starlette.types import Scope

from engine.errors import Unavailable
from engine.process.account_bytes import AccountBytes

MAX_BYTES = 67_108_864
"""Bytes as sent; with the values made of it, a body takes four times its size."""
WAIT_SECONDS = 5.0
ACCOUNT = "account_id"
"""Key of the account in a request's scope; requests without one count together."""
BODY_RESERVATION = "body_reservation"
"""Key of the reserved bytes in a request's scope."""


class BodyMemory:
    """Memory of the large bodies that are neither accepted nor answered yet."""

    def __init__(self) -> None:
        self._bytes = AccountBytes(MAX_BYTES)

    async def take(self, scope: Scope, size: int) -> None:
        """Reserve memory for the request until `free`. Raises Unavailable."""
        try:
            taken = await self._bytes.take(scope.get(ACCOUNT, ""), size, WAIT_SECONDS)
        except TimeoutError:
            raise Unavailable("Too many large bodies are sent at once") from None
        scope[BODY_RESERVATION] = taken

    def free(self, scope: Scope) -> None:
        """Release the memory of the request's body; nothing happens without any."""
        if BODY_RESERVATION in scope:
            scope.pop(BODY_RESERVATION).release()
