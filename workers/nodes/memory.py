"""Memory for the values of all executions that a worker process walks.

Each execution's bytes are counted, and an execution that needs more waits while the total is over
the limit. Executions cannot deadlock: the one that has waited longest is exempt from the limit
until it has ended. So the process uses at most its limit, one execution, and values in transit.

Large executions wait earlier than small ones, which leaves memory for the latter. When that is used
up too, a few small executions are admitted over the limit: an execution may wait for another one
that it has begun by a call of this installation.
"""

import asyncio
import itertools
from collections.abc import Callable

from engine.process.machine import memory_bytes
from engine.telemetry import metrics

MEMORY_DIVISOR = 16
"""A worker's default limit is this fraction of the machine's memory."""
UNKNOWN_MACHINE_BYTES = 268_435_456
LARGE_BYTES = 1_048_576
"""An execution with more bytes than this is large."""
LARGE_LIMIT_PERCENT = 75
"""Large executions wait from this percentage of the limit on."""
OVERFLOW_RUNS = 8
"""Executions admitted over the limit: as many as the nesting of runs may be deep."""
UNLIMITED = 1 << 30
WAKE_BATCH = 16

Wake = Callable[[], None]


class _QueueEntry:
    """Entry of an execution in a queue."""

    __slots__ = ("number", "wakes")

    def __init__(self, number: int) -> None:
        self.number = number
        self.wakes: list[Wake] = []

    def call(self) -> None:
        """Wake all waiters of this entry."""
        for wake in self.wakes:
            wake()


class MemoryBudget:
    """Counts the packed bytes of executions and queues those that wait for memory."""

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit or memory_bytes() // MEMORY_DIVISOR or UNKNOWN_MACHINE_BYTES
        self._large_limit = self.limit * LARGE_LIMIT_PERCENT // 100
        self.used = 0
        """Bytes of all executions of this process."""
        self._exempt: RunMemory | None = None
        """Execution that goes on over the limit."""
        self._overflow: set[RunMemory] = set()
        """Executions that were admitted over the limit and go on while they are small."""
        self._joined = itertools.count()
        self._small: dict[RunMemory, _QueueEntry] = {}
        self._large: dict[RunMemory, _QueueEntry] = {}
        self._is_serving = False
        self._has_refused = False
        self._notify_capacity: Callable[[], None] = _ignore

    @property
    def waiting(self) -> int:
        """Number of executions that wait for memory."""
        return len(self._small) + len(self._large)

    def export_metrics(self) -> None:
        """Export this budget in the metrics of the process."""
        metrics.EXECUTION_MEMORY.set_function(lambda: self.used)
        metrics.EXECUTION_MEMORY_LIMIT.set_function(lambda: self.limit)
        metrics.EXECUTIONS_WAITING_FOR_MEMORY.set_function(lambda: self.waiting)

    def on_capacity(self, notify: Callable[[], None]) -> None:
        """Call `notify` when executions are admitted again after a refusal."""
        self._notify_capacity = notify

    def admits(self) -> int:
        """Return how many further executions may start."""
        if self.used < self.limit:
            return UNLIMITED
        left = OVERFLOW_RUNS - len(self._overflow)
        self._has_refused = left <= 0
        return max(0, left)

    def open(self, size: int = 0) -> "RunMemory":
        """Register an execution that starts with `size` bytes."""
        run = RunMemory(self)
        if self.used >= self.limit and len(self._overflow) < OVERFLOW_RUNS:
            self._overflow.add(run)
        run.add(size)
        return run

    def may_grow(self, run: "RunMemory") -> bool:
        """Return whether an execution may use more bytes."""
        used = self.used
        if used < self._large_limit or run is self._exempt:
            return True
        return run.used <= LARGE_BYTES and (used < self.limit or run in self._overflow)

    def count(self, size: int) -> None:
        """Add `size` bytes; a negative size releases them."""
        self.used += size
        if size < 0:
            self._serve()

    def end(self, run: "RunMemory") -> None:
        """Remove an execution and release its bytes."""
        self._small.pop(run, None)
        self._large.pop(run, None)
        self._overflow.discard(run)
        if run is self._exempt:
            self._exempt = None
        self.used -= run.used
        self._serve()

    def join(self, run: "RunMemory", wake: Wake) -> None:
        """Call `wake` once the execution may use more; it must check that again."""
        queue = self._large if run.used > LARGE_BYTES else self._small
        entry = self._small.get(run) or self._large.get(run)
        if entry is None:
            entry = queue[run] = _QueueEntry(next(self._joined))
        entry.wakes.append(wake)
        self._serve()

    def leave(self, run: "RunMemory", wake: Wake) -> None:
        """Remove `wake` from the queue."""
        for queue in (self._small, self._large):
            if run in queue and wake in queue[run].wakes:
                queue[run].wakes.remove(wake)
                if not queue[run].wakes:
                    del queue[run]

    def _serve(self) -> None:
        if self._exempt is not None and self.used < self._large_limit:
            self._exempt = None  # the exemption is not needed now
        if self._small or self._large:
            self._choose_exempt()
            self._wake_some()
        if self._has_refused and self.admits():
            self._has_refused = False
            self._notify_capacity()

    def _choose_exempt(self) -> None:
        """Exempt the execution that has waited longest among the heads that may not grow."""
        if self._exempt is not None:
            return
        queues = (self._small, self._large)
        heads = [(queue, next(iter(queue))) for queue in queues if queue]
        blocked = [(queue, run) for queue, run in heads if not self.may_grow(run)]
        if blocked:
            queue, self._exempt = min(blocked, key=lambda each: each[0][each[1]].number)
            queue.pop(self._exempt).call()

    def _wake_some(self) -> None:
        """Wake a few that fit, and further ones once the memory of these is counted."""
        for queue, limit in ((self._small, self.limit), (self._large, self._large_limit)):
            if self.used < limit:
                for run in list(itertools.islice(queue, WAKE_BATCH)):
                    queue.pop(run).call()
                if queue and not self._is_serving:
                    self._is_serving = True
                    asyncio.get_running_loop().call_soon(self._serve_again)

    def _serve_again(self) -> None:
        self._is_serving = False
        self._serve()


class NodeMemory:
    """Bytes that a running node uses until its output is counted instead."""

    __slots__ = ("_reserved", "_run")

    def __init__(self, run: "RunMemory") -> None:
        self._run = run
        self._reserved = 0

    @property
    def may_grow(self) -> bool:
        """True when the execution may use more bytes now."""
        return self._run.may_grow

    async def wait(self) -> None:
        """Wait until the execution may use more bytes."""
        await self._run.wait()

    async def reserve(self, size: int) -> None:
        """Add `size` bytes, then wait until the execution may use further ones."""
        self._reserved += size
        self._run.add(size)
        await self._run.wait()

    def release(self) -> None:
        """Release all bytes of the node."""
        if self._reserved:
            self._run.add(-self._reserved)
            self._reserved = 0


class RunMemory:
    """Bytes that one execution uses of a budget, until its context ends."""

    __slots__ = ("_budget", "used")

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self.used = 0
        """Bytes."""

    def __enter__(self) -> "RunMemory":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Release all bytes: the execution has ended here."""
        self._budget.end(self)

    @property
    def may_grow(self) -> bool:
        """True when the execution may use more bytes now."""
        return self._budget.may_grow(self)

    def add(self, size: int) -> None:
        """Add `size` bytes; a negative size releases them."""
        self.used += size
        self._budget.count(size)

    def call_when_available(self, wake: Wake) -> None:
        """Call `wake` once the execution may use more, possibly during this call."""
        self._budget.join(self, wake)

    async def wait(self) -> None:
        """Wait until the execution may use more bytes."""
        while not self.may_grow:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def wake(waiter: "asyncio.Future[None]" = waiter) -> None:
                if not waiter.done():
                    waiter.set_result(None)

            self._budget.join(self, wake)
            try:
                await waiter
            finally:
                self._budget.leave(self, wake)


def _ignore() -> None:
    return
