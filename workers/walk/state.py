"""State of a walk: progress of its execution, and nodes that run, wait or run elsewhere."""

import asyncio
from collections.abc import Coroutine, Set
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from engine.graph.progress import Progress
from engine.process.light_event import LightEvent
from engine.store.executions.claims import NodeClaim
from workers.walk.timers import Timers

UNTOUCHED = NodeClaim(0, 0, 0, 0)


class NodeInterrupted(RuntimeError):
    """The task of a node was cancelled, though not by its walk."""


class NextStep(Enum):
    """Next step of a walk after a round."""

    CONTINUE = "continue"
    WAIT = "wait"
    LEAVE = "leave"


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
    timers: Timers = field(default_factory=Timers)
    wake: LightEvent = field(default_factory=LightEvent)
    task_error: Exception | None = None
    """Error of a node's task that ended without an outcome: a fault of Headrace."""

    @property
    def has_ready(self) -> bool:
        """True when any node could run now."""
        return bool(self.progress.ready or self.ready_io or self.ready_cpu)

    def start(self, index: int, work: Coroutine[Any, Any, None]) -> None:
        """Run a node in a task of its own; a task that breaks off wakes the walk."""
        self.running[index] = task = asyncio.create_task(work)
        task.add_done_callback(lambda done: self._check_task(index, done))

    def note_claim(self, index: int, fence: int, now: int) -> None:
        """Note that a node was claimed for its next attempt at this time, in milliseconds."""
        before = self.claims.get(index, UNTOUCHED)
        self.claims[index] = NodeClaim(fence, before.attempts + 1, now, before.lost)

    def _check_task(self, index: int, task: "asyncio.Task[None]") -> None:
        if self.running.get(index) is not task:
            return  # the walk has stopped it
        if task.cancelled():
            self.task_error = NodeInterrupted(f"The task of node {index} was cancelled by nobody")
        elif isinstance(error := task.exception(), Exception):
            self.task_error = error
        if self.task_error is not None:
            self.wake.set()

    def schedule_retry(self, index: int, seconds: float) -> None:
        """Schedule a node's next attempt after `seconds`."""
        self.timers.start(index, seconds, self._mark_due)

    def _mark_due(self, index: int) -> None:
        self.ready_io.append(index)
        self.wake.set()
