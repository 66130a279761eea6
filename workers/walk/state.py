"""State of a walk: progress of its execution, and nodes that run, wait or run elsewhere."""

import asyncio
from collections.abc import Callable, Coroutine, Set
from dataclasses import dataclass, field
from typing import Any

from engine.graph.progress import Progress
from engine.process.light_event import LightEvent
from engine.store.executions.record_fields import NodeClaim

UNTOUCHED = NodeClaim(0, 0, 0, 0)


class NodeInterrupted(RuntimeError):
    """The task of a node was cancelled, though not by its walk."""


LONGEST_TIMER_SECONDS = 86_400.0
"""Nodes that are due later have no timer: the execution's due time on record is theirs."""


class RetryTimers:
    """One timer per node for its next attempt.

    Each start passes the callback, so that a walk without timers is no reference cycle: collecting
    such cycles takes a sixth of a worker's time.
    """

    __slots__ = ("_due_at", "_handles", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._handles: dict[int, asyncio.Handle] = {}
        self._due_at: dict[int, float] = {}

    def start(self, index: int, seconds: float, due: Callable[[int], None]) -> None:
        """Call `due` after a pause, instead of at an earlier choice; a negative pause counts as 0.

        A pause over a day has no timer.
        """
        self.cancel(index)
        if seconds > LONGEST_TIMER_SECONDS:
            return
        pause = max(0.0, seconds)
        # Not every loop's handle knows when it is due: uvloop's does not for less than half a ms.
        self._due_at[index] = self._loop.time() + pause
        self._handles[index] = self._loop.call_later(pause, self._fire, index, due)

    def _fire(self, index: int, due: Callable[[int], None]) -> None:
        del self._handles[index], self._due_at[index]
        due(index)

    def cancel(self, index: int) -> None:
        """Cancel a node's timer, if it has one."""
        handle = self._handles.pop(index, None)
        if handle is not None:
            handle.cancel()
            del self._due_at[index]

    def has_within(self, seconds: float) -> bool:
        """Return whether any node is due within the time."""
        latest = self._loop.time() + seconds
        return any(due_at <= latest for due_at in self._due_at.values())

    def stop(self) -> None:
        """Cancel all timers."""
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()
        self._due_at.clear()


@dataclass(slots=True, kw_only=True)
class WalkState:
    """Mutable state of one walk: its nodes, by index."""

    progress: Progress
    is_shared: bool
    """True when other walkers may hold the execution too."""
    claims: dict[int, NodeClaim] = field(default_factory=dict)
    ready_io: list[int] = field(default_factory=list)
    """Nodes that are ready to be claimed."""
    ready_cpu: list[int] = field(default_factory=list)
    """Nodes that are ready and wait for a free slot."""
    running: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    running_elsewhere: Set[int] = frozenset()
    """Nodes that other walkers have begun."""
    parked: set[int] = field(default_factory=set)
    """Nodes that wait on record for something that wakes them, such as the end of a child."""
    timers: RetryTimers = field(default_factory=RetryTimers)
    wake: LightEvent = field(default_factory=LightEvent)
    task_error: Exception | None = None
    """Error of a node's task that ended without an outcome: a fault of Headrace."""

    @property
    def has_ready(self) -> bool:
        """True when any node could run now."""
        return bool(self.progress.ready or self.ready_io or self.ready_cpu)

    def start(self, index: int, work: Coroutine[Any, Any, None]) -> None:
        """Run a node in a task of its own; a task that breaks off wakes the walk."""
        self.progress.begin(index)
        self.running[index] = task = asyncio.create_task(work)
        task.add_done_callback(lambda done: self._check_task(index, done))

    def note_claim(self, index: int, fence: int, now: int) -> None:
        """Note that a node was claimed for its next attempt at this time, in milliseconds."""
        before = self.claims.get(index, UNTOUCHED)
        self.claims[index] = NodeClaim(fence, before.attempts + 1, now, before.lost)

    def schedule_retry(self, index: int, seconds: float) -> None:
        """Schedule a node's next attempt after `seconds`."""
        self.timers.start(index, seconds, self._mark_due)

    def park(self, index: int, at: int, now: int) -> None:
        """Park a node until it is woken, or due `at` this time; both in milliseconds."""
        before = self.claims.get(index, UNTOUCHED)
        self.claims[index] = NodeClaim(0, max(0, before.attempts - 1), at, before.lost)
        self.progress.park(index)
        self.wait_parked(index, (at - now) / 1000)

    def wait_parked(self, index: int, seconds: float) -> None:
        """Wait for a parked node, which is due after `seconds`."""
        self.parked.add(index)
        self.timers.start(index, seconds, self._mark_due)

    def unpark(self, index: int) -> None:
        """Wait for a parked node no longer."""
        self.parked.discard(index)
        self.timers.cancel(index)

    async def stop(self) -> None:
        """Stop all nodes that run or wait for a retry."""
        self.timers.stop()
        tasks = list(self.running.values())
        self.running.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)

    def _check_task(self, index: int, task: "asyncio.Task[None]") -> None:
        if self.running.get(index) is not task:
            return  # the walk has stopped it
        if task.cancelled():
            self.task_error = NodeInterrupted(f"The task of node {index} was cancelled by nobody")
        elif isinstance(error := task.exception(), Exception):
            self.task_error = error
        if self.task_error is not None:
            self.wake.set()

    def _mark_due(self, index: int) -> None:
        self.parked.discard(index)
        self.ready_io.append(index)
        self.wake.set()
