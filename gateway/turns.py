"""Turns: while several accounts ask for runs, none has more than a few of its requests begun."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

AT_ONCE = 1
CONTENDED_SECONDS = 1.0
"""How long an account is remembered as one that asks too."""


@dataclass(slots=True)
class _Line:
    """One account's requests: how many are begun, and who waits."""

    begun: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Turns:
    """Makes requests of an account wait for each other, but only while there are others.

    An account that is alone is not held up: the pipelines that its requests share make it fast.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines: dict[str, _Line] = {}
        self._latest = ""
        self._contended_until = 0.0

    async def begin(self, account_id: str) -> None:
        """Wait until a request of the account may keep this process busy; `end` must follow."""
        self._note(account_id)
        line = self._lines.setdefault(account_id, _Line())
        if line.begun < AT_ONCE or self._loop.time() > self._contended_until:
            line.begun += 1
            return
        future = self._loop.create_future()
        line.waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():
                self.end(account_id)  # its turn had come already
            raise

    def end(self, account_id: str) -> None:
        """The request needs this process no more for now."""
        line = self._lines[account_id]
        line.begun -= 1
        while line.waiting and line.begun < AT_ONCE:
            future = line.waiting.popleft()
            if not future.done():
                line.begun += 1
                future.set_result(None)
        if not line.begun:
            del self._lines[account_id]

    def _note(self, account_id: str) -> None:
        if account_id != self._latest:
            if self._latest:
                self._contended_until = self._loop.time() + CONTENDED_SECONDS
            self._latest = account_id
