"""The bell: one subscription for all callers of a gateway process who wait for an execution."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

from engine.executions.execution import ExecutionEnd, ExecutionStatus
from engine.store.redis import keyspace
from engine.store.redis.records import unpack
from engine.store.redis.subscription import Subscription

T = TypeVar("T")

CHECK_SECONDS = 1.0


class CompletionNotifier:
    """Wakes waiting callers and brings them small outcomes; others are read from the record."""

    def __init__(self, subscription: Subscription, channel: str) -> None:
        self.channel = channel
        self._subscription = subscription
        self._rings: dict[str, set[CompletionWaiter]] = {}

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, redis_url: str) -> AsyncIterator["CompletionNotifier"]:
        """Subscribe for as long as the context lasts; reconnects by itself."""
        channel = keyspace.notifier(secrets.token_hex(6))
        subscription = Subscription(redis_url, channel)
        notifier = cls(subscription, channel)
        async with subscription.running(notifier._completion):
            yield notifier

    @contextlib.contextmanager
    def expecting(self, execution_id: str) -> Iterator["CompletionWaiter"]:
        """Listen for the end of an execution, best from before it is accepted."""
        completion = CompletionWaiter(execution_id)
        rings = self._rings.setdefault(execution_id, set())
        rings.add(completion)
        try:
            yield completion
        finally:
            rings.discard(completion)
            if not rings:
                self._rings.pop(execution_id, None)

    def _completion(self, data: bytes) -> None:
        execution_id, _, told = data.partition(b"\n")
        for completion in self._rings.get(execution_id.decode(errors="replace"), ()):
            completion.wake(told)


def parse_told(execution_id: str, told: bytes) -> ExecutionEnd:
    """The outcome that came with the bell: status, credits, length of the result, result, error."""
    status, spent, length, rest = told.split(b"\n", 3)
    result, error = rest[: int(length)], rest[int(length) :]
    return ExecutionEnd(
        id=execution_id,
        status=ExecutionStatus(status.decode()),
        result=unpack(result) if result else None,
        error=unpack(error) if error else None,
        credits_cost=int(spent),
    )


class CompletionWaiter:
    """One caller who waits for one execution."""

    __slots__ = ("_execution_id", "_future", "_is_rung", "_told", "was_rung")

    def __init__(self, execution_id: str) -> None:
        self._execution_id = execution_id
        self._told = b""
        self._is_rung = False
        self.was_rung = False
        """Whether the check under way follows a ring, not just a second of silence."""
        self._future: asyncio.Future[None] | None = None

    @property
    def outcome(self) -> ExecutionEnd | None:
        """How the execution ended, if the bell said so."""
        return parse_told(self._execution_id, self._told) if self._told else None

    def wake(self, told: bytes = b"") -> None:
        """The execution has ended, perhaps as `told`."""
        self._told = told
        self._is_rung = True
        self._end_turn()

    def _end_turn(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    async def wait(self, check: Callable[[], Awaitable[T | None]], seconds: float) -> T | None:
        """The first value that `check` gives, or None when the time has passed.

        `check` runs when the bell rings and once a second, so a lost ring costs a second at most.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while (remaining := deadline - loop.time()) > 0:
            await self._rung(loop, min(remaining, CHECK_SECONDS))
            value = await check()
            if value is not None:
                return value
        return None

    async def _rung(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        if not self._is_rung:
            self._future = loop.create_future()
            timer = loop.call_later(seconds, self._end_turn)
            try:
                await self._future
            finally:
                timer.cancel()
        self.was_rung, self._is_rung = self._is_rung, False
