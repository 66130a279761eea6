"""Memory for large results: how many bytes of them one process reads and sends at once."""

from functools import partial

from starlette.types import Scope

from engine.room import Room
from engine.store import Hold

MOST_BYTES = 134_217_728
"""As they are stored, then as JSON; in between, memory holds one of them two or three times."""
WAIT_SECONDS = 5.0
"""How long one waits for others to be sent."""
HELD = "held_bytes"
"""Where a request keeps how much of this is its own."""


class Memory:
    """What the large results of all answers under way have together."""

    def __init__(self) -> None:
        self._room = Room(MOST_BYTES)

    def for_answer(self, scope: Scope) -> Hold:
        """Waits for memory that this request has until `free`, instead of what it had."""
        return partial(self._hold, scope)

    async def _hold(self, scope: Scope, size: int) -> None:
        self.free(scope)
        size = min(size, self._room.most)
        await self._room.take(size, WAIT_SECONDS)
        scope[HELD] = size

    def settle(self, scope: Scope, size: int) -> None:
        """The request has so many bytes instead, as is known now; nothing when it has none."""
        if HELD in scope:
            self._room.give(scope[HELD] - size)
            scope[HELD] = size

    def free(self, scope: Scope) -> None:
        """The answer to this request was sent, or will not be."""
        self._room.give(scope.pop(HELD, 0))
