"""Notification of ended executions: one subscription for all waiting callers of a process."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

from engine.executions.execution import ExecutionOutcome
from engine.executions.statuses import ExecutionStatus
from engine.process.batch_timers import BatchTimers
from engine.store.redis import channels
from engine.store.redis.address import RedisAddress
from engine.store.redis.record_packing import unpack
from engine.store.redis.subscription import Subscription

T = TypeVar("T")

CHECK_SECONDS = 1.0
STEP_SECONDS = 0.05
"""Longest delay of a check, which lets thousands of waiters share timers."""

TurnTimers = BatchTimers[asyncio.Future[None]]


class CompletionNotifier:
    """Wakes waiting callers and carries small outcomes; others are read from the record."""

    def __init__(self, subscription: Subscription, channel: str) -> None:
        self.channel = channel
        self._subscription = subscription
        self._waiters: dict[str, CompletionWaiter | set[CompletionWaiter]] = {}
        """Waiters by execution: mostly one, which is smaller than a set of it."""
        self._timers = TurnTimers(_resolve, STEP_SECONDS)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, address: RedisAddress, missed: Callable[[], None] = lambda: None
    ) -> AsyncIterator["CompletionNotifier"]:
        """Subscribe while the context lasts, with reconnection.

        `missed` is called after each subscription, since earlier notifications may be lost.
        """
        channel = channels.notifier(secrets.token_hex(6), is_cluster=address.is_cluster)
        subscription = Subscription(address, channel)
        notifier = cls(subscription, channel)
        async with subscription.running(notifier._notify, missed):
            yield notifier

    @contextlib.contextmanager
    def expecting(self, execution_id: str) -> Iterator["CompletionWaiter"]:
        """Register a waiter for the end of an execution, preferably before its acceptance."""
        waiter = self.expect(execution_id)
        try:
            yield waiter
        finally:
            self.leave(waiter)

    def expect(self, execution_id: str) -> "CompletionWaiter":
        """Register a waiter like `expecting`, until `leave`."""
        waiter = CompletionWaiter(execution_id, self._timers)
        others = self._waiters.setdefault(execution_id, waiter)
        if isinstance(others, set):
            others.add(waiter)
        elif others is not waiter:
            self._waiters[execution_id] = {others, waiter}
        return waiter

    def leave(self, waiter: "CompletionWaiter") -> None:
        """Forget a waiter; one that has left may leave again."""
        others = self._waiters.get(waiter.execution_id)
        if isinstance(others, set):
            others.discard(waiter)
        if others is waiter or others == set():
            del self._waiters[waiter.execution_id]

    def _notify(self, data: bytes) -> None:
        execution_id, _, message = data.partition(b"\n")
        waiters = self._waiters.get(execution_id.decode(errors="replace"), ())
        for waiter in (waiters,) if isinstance(waiters, CompletionWaiter) else waiters:
            waiter.wake(message)


def parse_notification(execution_id: str, message: bytes) -> ExecutionOutcome:
    """Return the outcome of a message: status, credits, length of the result, result, error.

    Raises ValueError for a message of another form.
    """
    status, spent, length, rest = message.split(b"\n", 3)
    result, error = rest[: int(length)], rest[int(length) :]
    return ExecutionOutcome(
        id=execution_id,
        status=ExecutionStatus(status.decode()),
        result=unpack(result) if result else None,
        error=unpack(error) if error else None,
        credits_cost=int(spent),
    )


class CompletionWaiter:
    """Waiter of one caller for one execution."""

    __slots__ = (
        *("_future", "_is_notified", "_message", "_timers"),
        *("execution_id", "was_notified"),
    )

    def __init__(self, execution_id: str, timers: TurnTimers) -> None:
        self.execution_id = execution_id
        self._timers = timers
        self._message = b""
        self._is_notified = False
        self.was_notified = False
        """Whether the running check follows a notification, not just a second of silence."""
        self._future: asyncio.Future[None] | None = None

    @property
    def outcome(self) -> ExecutionOutcome | None:
        """Outcome of the execution, if the notification carried it in a form known here."""
        try:
            return parse_notification(self.execution_id, self._message) if self._message else None
        except (ValueError, IndexError):
            return None  # of a later release: the record says the same

    def wake(self, message: bytes = b"") -> None:
        """Record the end of the execution and its outcome, which may be empty."""
        self._message = message
        self._is_notified = True
        self._end_turn()

    def _end_turn(self) -> None:
        if self._future is not None:
            _resolve(self._future)

    async def wait(
        self,
        check: Callable[[], Awaitable[T | None]],
        seconds: float,
        every: float = CHECK_SECONDS,
    ) -> T | None:
        """Return the first value of `check`, or None after the timeout.

        `check` runs after a notification and once in `every` seconds, so a lost one costs no more.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while (remaining := deadline - loop.time()) > 0:
            if not self._is_notified:
                await self._start_turn(loop, remaining, every)
            self.was_notified, self._is_notified = self._is_notified, False
            value = await check()
            if value is not None:
                return value
        return None

    def _start_turn(
        self, loop: asyncio.AbstractEventLoop, remaining: float, every: float
    ) -> "asyncio.Future[None]":
        """Return a future that is done at the notification, the next check or the timeout."""
        self._future = turn = loop.create_future()
        if remaining > every:
            self._timers.add(every, turn)
        else:
            timer = loop.call_later(remaining, self._end_turn)
            turn.add_done_callback(lambda _: timer.cancel())
        return turn


def _resolve(turn: "asyncio.Future[None]") -> None:
    if not turn.done():
        turn.set_result(None)
