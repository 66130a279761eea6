"""Memory for the values of all executions that a worker process has in hand.

What each holds is counted, and who would hold more waits while all together hold too much. They
cannot wait for each other for ever: the one that has waited longest goes on past the limit until it
has ended. So the process holds no more than its limit, one execution, and what was on its way.

Executions that hold much wait earlier than others: large ones leave room for small ones. When that
is taken too, a few small ones are let in all the same, as guests: an execution in hand may wait for
one that it has begun by a call of this installation.
"""

import asyncio
import itertools
from collections.abc import Callable
from types import TracebackType

from engine import metrics
from engine.process.machine import memory_bytes

MEMORY_DIVISOR = 16
"""One worker gets one part of so many of the machine's memory, unless a setting says otherwise."""
UNKNOWN_MACHINE_BYTES = 268_435_456
LARGE_BYTES = 1_048_576
"""An execution that holds more than this is a large one."""
LARGE_LIMIT_PERCENT = 75
"""Large ones wait for room from this share of the limit on."""
OVERFLOW_RUNS = 8
"""As many as runs may begin each other deep."""
UNLIMITED = 1 << 30
WAKE_BATCH = 16

Wake = Callable[[], None]


class _QueueEntry:
    """A place in a line."""

    __slots__ = ("number", "wakes")

    def __init__(self, number: int) -> None:
        self.number = number
        self.wakes: list[Wake] = []

    def call(self) -> None:
        """Wake all that wait here."""
        for wake in self.wakes:
            wake()


class MemoryBudget:
    """Counts the bytes that executions hold, as they are packed, and who waits for room."""

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit or memory_bytes() // MEMORY_DIVISOR or UNKNOWN_MACHINE_BYTES
        self._large_limit = self.limit * LARGE_LIMIT_PERCENT // 100
        self.used = 0
        """Bytes that all executions in hand hold."""
        self._exempt: RunMemory | None = None
        """The execution that goes on whatever is used."""
        self._overflow: set[RunMemory] = set()
        """Executions that were taken up beyond the limit, and go on while they are small."""
        self._joined = itertools.count()
        self._small: dict[RunMemory, _QueueEntry] = {}
        self._large: dict[RunMemory, _QueueEntry] = {}
        self._is_serving = False
        self._has_refused = False
        self._notify_capacity: Callable[[], None] = _ignore

    @property
    def waiting(self) -> int:
        """Executions that wait for room."""
        return len(self._small) + len(self._large)

    def export_metrics(self) -> None:
        """Have the metrics of this process tell of this budget."""
        metrics.EXECUTION_MEMORY.set_function(lambda: self.used)
        metrics.EXECUTION_MEMORY_LIMIT.set_function(lambda: self.limit)
        metrics.EXECUTIONS_WAITING_FOR_MEMORY.set_function(lambda: self.waiting)

    def on_capacity(self, notify: Callable[[], None]) -> None:
        """Call this when further executions may be taken up after it was not so."""
        self._notify_capacity = notify

    def admits(self) -> int:
        """How many further executions may be taken up."""
        if self.used < self.limit:
            return UNLIMITED
        left = OVERFLOW_RUNS - len(self._overflow)
        self._has_refused = left <= 0
        return max(0, left)

    def open(self, size: int = 0) -> "RunMemory":
        """The share of an execution that is taken up with so many bytes."""
        run = RunMemory(self)
        if self.used >= self.limit and len(self._overflow) < OVERFLOW_RUNS:
            self._overflow.add(run)
        run.add(size)
        return run

    def may_grow(self, run: "RunMemory") -> bool:
        """Whether an execution may hold more."""
        used = self.used
        if used < self._large_limit or run is self._exempt:
            return True
        return run.used <= LARGE_BYTES and (used < self.limit or run in self._overflow)

    def count(self, size: int) -> None:
        """So many bytes more are held, or fewer when it is less than nothing."""
        self.used += size
        if size < 0:
            self._serve()

    def end(self, run: "RunMemory") -> None:
        """An execution is out of hand."""
        self._small.pop(run, None)
        self._large.pop(run, None)
        self._overflow.discard(run)
        if run is self._exempt:
            self._exempt = None
        self.used -= run.used
        self._serve()

    def join(self, run: "RunMemory", wake: Wake) -> None:
        """Call `wake` once the execution may hold more; it must look again whether that is so."""
        queue = self._large if run.used > LARGE_BYTES else self._small
        entry = self._small.get(run) or self._large.get(run)
        if entry is None:
            entry = queue[run] = _QueueEntry(next(self._joined))
        entry.wakes.append(wake)
        self._serve()

    def leave(self, run: "RunMemory", wake: Wake) -> None:
        """Do not call it."""
        for queue in (self._small, self._large):
            if run in queue and wake in queue[run].wakes:
                queue[run].wakes.remove(wake)
                if not queue[run].wakes:
                    del queue[run]

    def _serve(self) -> None:
        if self._exempt is not None and self.used < self._large_limit:
            self._exempt = None  # it needs no leave now
        if self._small or self._large:
            self._choose_exempt()
            self._wake_some()
        if self._has_refused and self.admits():
            self._has_refused = False
            self._notify_capacity()

    def _choose_exempt(self) -> None:
        """Let the one go on that has waited longest of those for whom there is no room."""
        if self._exempt is not None:
            return
        queues = (self._small, self._large)
        heads = [(queue, next(iter(queue))) for queue in queues if queue]
        blocked = [(queue, run) for queue, run in heads if not self.may_grow(run)]
        if blocked:
            queue, self._exempt = min(blocked, key=lambda each: each[0][each[1]].number)
            queue.pop(self._exempt).call()

    def _wake_some(self) -> None:
        """Wake a few for whom there is room, and others when it is known what these took."""
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
    """What a running node of an execution holds until its output is counted in its place."""

    __slots__ = ("_reserved", "_run")

    def __init__(self, run: "RunMemory") -> None:
        self._run = run
        self._reserved = 0

    @property
    def may_grow(self) -> bool:
        """Whether the execution may hold more now."""
        return self._run.may_grow

    async def wait(self) -> None:
        """Return when the execution may hold more."""
        await self._run.wait()

    async def reserve(self, size: int) -> None:
        """The node holds so many bytes more; return when it may hold further ones."""
        self._reserved += size
        self._run.add(size)
        await self._run.wait()

    def release(self) -> None:
        """It holds nothing more."""
        self._run.add(-self._reserved)
        self._reserved = 0


class RunMemory:
    """What one execution holds of a budget, until it is closed."""

    __slots__ = ("_budget", "used")

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self.used = 0
        """Bytes."""

    def __enter__(self) -> "RunMemory":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._budget.end(self)

    @property
    def may_grow(self) -> bool:
        """Whether the execution may hold more now."""
        return self._budget.may_grow(self)

    def add(self, size: int) -> None:
        """It holds so many bytes more, or fewer when it is less than nothing."""
        self.used += size
        self._budget.count(size)

    def call_when_available(self, wake: Wake) -> None:
        """Call `wake` once it may hold more, at once perhaps."""
        self._budget.join(self, wake)

    async def wait(self) -> None:
        """Return when the execution may hold more."""
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
