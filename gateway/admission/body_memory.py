"""Memory for large request bodies: bounds the bytes of them that one process holds at once."""

from collections import Counter

from starlette.types import Scope

from engine.errors import Unavailable
from engine.process.byte_semaphore import ByteSemaphore

MAX_BYTES = 67_108_864
"""Bytes as sent; with the values made of it, a body takes four times its size."""
SHARES = 4
"""An account may have a quarter of it, so that no account's slow uploads keep others out."""
WAIT_SECONDS = 5.0
ACCOUNT = "account_id"
"""Key of the account in a request's scope; requests without one count together."""
BODY_RESERVATION = "body_reservation"
"""Key of the account and the reserved bytes in a request's scope."""


class BodyMemory:
    """Memory of the large bodies that are neither accepted nor answered yet."""

    def __init__(self) -> None:
        self._all = ByteSemaphore(MAX_BYTES)
        self._shares: dict[str, ByteSemaphore] = {}
        self._users: Counter[str] = Counter()

    async def take(self, scope: Scope, size: int) -> None:
        """Reserve memory for the request until `free`. Raises Unavailable."""
        account_id = scope.get(ACCOUNT, "")
        share = self._share(account_id)
        size = min(size, share.limit)
        try:
            await share.acquire(size, WAIT_SECONDS)
            try:
                await self._all.acquire(size, WAIT_SECONDS)
            except BaseException:
                share.release(size)
                raise
        except BaseException as error:
            self._leave(account_id)
            if isinstance(error, TimeoutError):
                raise Unavailable("Too many large bodies are sent at once") from None
            raise
        scope[BODY_RESERVATION] = account_id, size

    def free(self, scope: Scope) -> None:
        """Release the memory of the request's body; nothing happens without any."""
        if BODY_RESERVATION not in scope:
            return
        account_id, size = scope.pop(BODY_RESERVATION)
        self._shares[account_id].release(size)
        self._all.release(size)
        self._leave(account_id)

    def _share(self, account_id: str) -> ByteSemaphore:
        self._users[account_id] += 1
        if account_id not in self._shares:
            self._shares[account_id] = ByteSemaphore(self._all.limit // SHARES)
        return self._shares[account_id]

    def _leave(self, account_id: str) -> None:
        self._users[account_id] -= 1
        if not self._users[account_id]:
            del self._users[account_id], self._shares[account_id]
