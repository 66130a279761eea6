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

MACHINE_SHARE = 16
"""One worker gets one part of so many of the machine's memory, unless a setting says otherwise."""
UNKNOWN_MACHINE_BYTES = 268_435_456
LARGE_BYTES = 1_048_576
"""An execution that holds more than this is a large one."""
LARGE_PERCENT = 75
"""Large ones wait for room from this share of the limit on."""
GUESTS = 8
"""As many as runs may begin each other deep."""
ANY_NUMBER = 1 << 30
WOKEN_AT_ONCE = 16

Wake = Callable[[], None]


class _Place:
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
        self.limit = limit or memory_bytes() // MACHINE_SHARE or UNKNOWN_MACHINE_BYTES
        self._large_limit = self.limit * LARGE_PERCENT // 100
        self.used = 0
        """Bytes that all executions in hand hold."""
        self._first: RunMemory | None = None
        """The execution that goes on whatever is used."""
        self._guests: set[RunMemory] = set()
        """Executions that were taken up beyond the limit, and go on while they are small."""
        self._joined = itertools.count()
        self._small: dict[RunMemory, _Place] = {}
        self._large: dict[RunMemory, _Place] = {}
        self._is_serving = False
        self._has_refused = False
        self._tell_room: Callable[[], None] = _tell_nobody

    @property
    def waiting(self) -> int:
        """Executions that wait for room."""
        return len(self._small) + len(self._large)

    def show(self) -> None:
        """Have the metrics of this process tell of this budget."""
        metrics.EXECUTION_MEMORY.set_function(lambda: self.used)
        metrics.EXECUTION_MEMORY_LIMIT.set_function(lambda: self.limit)
        metrics.EXECUTIONS_WAITING_FOR_MEMORY.set_function(lambda: self.waiting)

    def on_room(self, tell: Callable[[], None]) -> None:
        """Call this when further executions may be taken up after it was not so."""
        self._tell_room = tell

    def admits(self) -> int:
        """How many further executions may be taken up."""
        if self.used < self.limit:
            return ANY_NUMBER
        left = GUESTS - len(self._guests)
        self._has_refused = left <= 0
        return max(0, left)

    def open(self, size: int = 0) -> "RunMemory":
        """The share of an execution that is taken up with so many bytes."""
        run = RunMemory(self)
        if self.used >= self.limit and len(self._guests) < GUESTS:
            self._guests.add(run)
        run.add(size)
        return run

    def may_grow(self, run: "RunMemory") -> bool:
        """Whether an execution may hold more."""
        used = self.used
        if used < self._large_limit or run is self._first:
            return True
        return run.held <= LARGE_BYTES and (used < self.limit or run in self._guests)

    def count(self, size: int) -> None:
        """So many bytes more are held, or fewer when it is less than nothing."""
        self.used += size
        if size < 0:
            self._serve()

    def end(self, run: "RunMemory") -> None:
        """An execution is out of hand."""
        self._small.pop(run, None)
        self._large.pop(run, None)
        self._guests.discard(run)
        if run is self._first:
            self._first = None
        self.used -= run.held
        self._serve()

    def join(self, run: "RunMemory", wake: Wake) -> None:
        """Call `wake` once the execution may hold more; it must look again whether that is so."""
        line = self._large if run.held > LARGE_BYTES else self._small
        place = self._small.get(run) or self._large.get(run)
        if place is None:
            place = line[run] = _Place(next(self._joined))
        place.wakes.append(wake)
        self._serve()

    def leave(self, run: "RunMemory", wake: Wake) -> None:
        """Do not call it."""
        for line in (self._small, self._large):
            if run in line and wake in line[run].wakes:
                line[run].wakes.remove(wake)
                if not line[run].wakes:
                    del line[run]

    def _serve(self) -> None:
        if self._first is not None and self.used < self._large_limit:
            self._first = None  # it needs no leave now
        if self._small or self._large:
            self._choose_first()
            self._wake_some()
        if self._has_refused and self.admits():
            self._has_refused = False
            self._tell_room()

    def _choose_first(self) -> None:
        """Let the one go on that has waited longest of those for whom there is no room."""
        if self._first is not None:
            return
        lines = (self._small, self._large)
        heads = [(line, next(iter(line))) for line in lines if line]
        stuck = [(line, run) for line, run in heads if not self.may_grow(run)]
        if stuck:
            line, self._first = min(stuck, key=lambda each: each[0][each[1]].number)
            line.pop(self._first).call()

    def _wake_some(self) -> None:
        """Wake a few for whom there is room, and others when it is known what these took."""
        for line, limit in ((self._small, self.limit), (self._large, self._large_limit)):
            if self.used < limit:
                for run in list(itertools.islice(line, WOKEN_AT_ONCE)):
                    line.pop(run).call()
                if line and not self._is_serving:
                    self._is_serving = True
                    asyncio.get_running_loop().call_soon(self._serve_again)

    def _serve_again(self) -> None:
        self._is_serving = False
        self._serve()


class NodeMemory:
    """What a running node of an execution holds until its output is counted in its place."""

    __slots__ = ("_held", "_run")

    def __init__(self, run: "RunMemory") -> None:
        self._run = run
        self._held = 0

    @property
    def may_grow(self) -> bool:
        """Whether the execution may hold more now."""
        return self._run.may_grow

    async def wait(self) -> None:
        """Return when the execution may hold more."""
        await self._run.wait()

    async def reserve(self, size: int) -> None:
        """The node holds so many bytes more; return when it may hold further ones."""
        self._held += size
        self._run.add(size)
        await self._run.wait()

    def free(self) -> None:
        """It holds nothing more."""
        self._run.add(-self._held)
        self._held = 0


class RunMemory:
    """What one execution holds of a budget, until it is closed."""

    __slots__ = ("_budget", "held")

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self.held = 0
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
        self.held += size
        self._budget.count(size)

    def call_when_room(self, wake: Wake) -> None:
        """Call `wake` once it may hold more, at once perhaps."""
        self._budget.join(self, wake)

    async def wait(self) -> None:
        """Return when the execution may hold more."""
        while not self.may_grow:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def wake(turn: "asyncio.Future[None]" = turn) -> None:
                if not turn.done():
                    turn.set_result(None)

            self._budget.join(self, wake)
            try:
                await turn
            finally:
                self._budget.leave(self, wake)


def _tell_nobody() -> None:
    return
