"""The bell: one subscription for all callers of a gateway process who wait for an execution."""

import asyncio
import contextlib
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from engine import keyspace
from engine.store.subscription import Subscription

T = TypeVar("T")

CHECK_SECONDS = 1.0


class Bell:
    """Wakes waiting callers; what they learn is always read from the record."""

    def __init__(self, subscription: Subscription, channel: str) -> None:
        self.channel = channel
        self._subscription = subscription
        self._waiters: dict[str, set[asyncio.Future[None]]] = defaultdict(set)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, redis_url: str) -> AsyncIterator["Bell"]:
        """Subscribe for as long as the context lasts; reconnects by itself."""
        channel = keyspace.bell(secrets.token_hex(6))
        subscription = Subscription(redis_url, channel)
        bell = cls(subscription, channel)
        async with subscription.running(bell._ring):
            yield bell

    async def wait(
        self, execution_id: str, check: Callable[[], Awaitable[T | None]], timeout_seconds: float
    ) -> T | None:
        """The first value that `check` gives, or None when the time has passed.

        `check` runs when the bell rings and once a second, so a lost ring costs a second at most.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        while (remaining := deadline - loop.time()) > 0:
            await self._rung(execution_id, min(remaining, CHECK_SECONDS))
            value = await check()
            if value is not None:
                return value
        return None

    async def _rung(self, execution_id: str, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiters = self._waiters[execution_id]
        waiters.add(future)
        try:
            await asyncio.wait([future], timeout=seconds)
        finally:
            waiters.discard(future)
            if not waiters:
                self._waiters.pop(execution_id, None)

    def _ring(self, data: bytes) -> None:
        for future in self._waiters.get(data.decode(), ()):
            if not future.done():
                future.set_result(None)
