"""Memory for large results: bounds the bytes of them that one process reads and sends at once."""

from functools import partial

from starlette.types import Scope

from engine.process.account_bytes import AccountBytes
from engine.store import ReserveMemory
from gateway.admission.body_memory import ACCOUNT

MAX_BYTES = 134_217_728
"""Bytes as stored, then as JSON; in between, memory holds one result two or three times."""
WAIT_SECONDS = 5.0
"""Longest wait for other results of the account to be sent, and then for those of others."""
RESERVATION = "result_reservation"
"""Key of the request's reservation in its scope."""


class ResultMemory:
    """Memory of the large results of all answers under way, shared by accounts."""

    def __init__(self) -> None:
        self._bytes = AccountBytes(MAX_BYTES)

    def for_answer(self, scope: Scope) -> ReserveMemory:
        """Return a function that waits for memory until `free`, replacing the last reservation."""
        return partial(self._hold, scope)

    async def _hold(self, scope: Scope, size: int) -> None:
        self.free(scope)
        account_id = scope.get(ACCOUNT, "")
        scope[RESERVATION] = await self._bytes.take(account_id, size, WAIT_SECONDS)

    def settle(self, scope: Scope, size: int) -> None:
        """Resize the reservation to `size` bytes; nothing happens without one."""
        if RESERVATION in scope:
            scope[RESERVATION].resize(size)

    def free(self, scope: Scope) -> None:
        """Release the reservation once the answer was sent or given up."""
        if RESERVATION in scope:
            scope.pop(RESERVATION).release()
