"""Events of an execution, and the stored entries from which they are derived.

An entry records one step of a walk; it never changes and always yields the same events. So an
event's id, the entry's number and the event's position in it, is valid on every gateway, and after
the end of the execution.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from engine.executions.execution import NodeExecution
from engine.executions.node_waits import NodeWait
from engine.executions.statuses import NODE_TERMINAL, ExecutionStatus, NodeStatus

EVENT_ID = re.compile(r"[0-9]{1,15}\.[0-9]{1,9}")


class EventName(StrEnum):
    """Names of events, as clients see them."""

    EXECUTION_STARTED = "execution.started"
    """First event of each execution: it was accepted."""
    NODE_STARTED = "node.started"
    """An attempt began. Text and progress of earlier attempts are void."""
    NODE_RETRYING = "node.retrying"
    """An attempt failed; another follows after a pause."""
    NODE_PROGRESS = "node.progress"
    NODE_TEXT = "node.token"
    NODE_FINISHED = "node.finished"
    EXECUTION_WAITING = "execution.waiting"
    """A node of the execution, or of one below it, waits: for a time or for an answer."""
    CHILD_STARTED = "child.started"
    """A child of a root began; nodes of children may have children too."""
    CHILD_FINISHED = "child.finished"
    EXECUTION_FINISHED = "execution.finished"
    """Last event of each execution."""


class EventId(NamedTuple):
    """Position of an event in its execution; later events have greater ids."""

    number: int
    place: int

    def __str__(self) -> str:
        return f"{self.number}.{self.place}"


BEFORE_ALL = EventId(0, 0)


def parse_event_id(text: str) -> EventId:
    """Parse an event id. Raises ValueError."""
    if EVENT_ID.fullmatch(text) is None:
        raise ValueError("not the id of an event")
    number, place = text.split(".")
    return EventId(int(number), int(place))


class ChildRef(Struct, frozen=True):
    """Name of a child, and its place below its parent, which is the root or a child itself."""

    id: str
    parent_id: str
    node_id: str
    """Node of the parent."""
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionEvent:
    """One event; `index` is the node's index in the plan, None for events of the execution."""

    name: EventName
    index: int | None = None
    attempt: int = 0
    pause_ms: int | None = None
    """With NODE_RETRYING: time from the failure to the next attempt; None: not known."""
    node: NodeExecution | None = None
    """With NODE_FINISHED."""
    item: int = 0
    """With NODE_PROGRESS and NODE_TEXT: index of the node's call."""
    offset: int = 0
    """With NODE_TEXT: characters of the call's text before this piece; 0: the text (re)starts."""
    text: str = ""
    progress: float = 0.0
    status: ExecutionStatus | None = None
    """With EXECUTION_FINISHED, CHILD_STARTED and CHILD_FINISHED."""
    child: ChildRef | None = None
    """With CHILD_STARTED and CHILD_FINISHED."""
    wait: NodeWait | None = None
    """With EXECUTION_WAITING."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEntry:
    """First entry: state of the execution when a watcher first subscribed."""

    number: int
    statuses: Sequence[NodeStatus]
    attempts: Mapping[int, int]
    """Attempt numbers of nodes that were running, retrying or waiting, by index."""
    waits: Mapping[int, NodeWait] = field(default_factory=dict)
    """Open waits of nodes, by index."""
    nodes: Mapping[int, NodeExecution]
    """Records of the nodes that had settled, by index."""

    def events(self) -> Iterator[ExecutionEvent]:
        """Yield the events in plan order."""
        yield ExecutionEvent(name=EventName.EXECUTION_STARTED)
        for index, status in enumerate(self.statuses):
            if status in (NodeStatus.RUNNING, NodeStatus.RETRYING, NodeStatus.WAITING):
                yield _started(index, self.attempts.get(index, 1))
            if status is NodeStatus.RETRYING:
                attempt = self.attempts.get(index, 1)
                yield ExecutionEvent(name=EventName.NODE_RETRYING, index=index, attempt=attempt)
            if index in self.waits:
                yield _waiting(self.waits[index])
            has_run = status in (NodeStatus.COMPLETED, NodeStatus.FAILED)
            if has_run and self.nodes[index].attempts:  # else it was settled from the start
                yield _started(index, self.nodes[index].attempts)
            if status in NODE_TERMINAL:
                yield _finished(self.nodes[index])


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEntry:
    """Entry of one step of a walker."""

    number: int
    settled: Sequence[NodeExecution]
    unclaimed: frozenset[int]
    """Settled nodes whose start no earlier entry recorded."""
    retrying: Sequence[tuple[int, int, int]]
    """Node index, the attempt that failed, and the pause in milliseconds."""
    claimed: Sequence[tuple[int, int]]
    """Node index and attempt."""

    def events(self) -> Iterator[ExecutionEvent]:
        """Yield ends, retries and starts, in this order."""
        for node in self.settled:
            if node.index in self.unclaimed and node.status is not NodeStatus.SKIPPED:
                yield _started(node.index, node.attempts)
            yield _finished(node)
        for index, attempt, pause in self.retrying:
            name = EventName.NODE_RETRYING
            yield ExecutionEvent(name=name, index=index, attempt=attempt, pause_ms=pause)
        for index, attempt in self.claimed:
            yield _started(index, attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressEntry:
    """Entry of a running node: a piece of text, or progress."""

    number: int
    event: ExecutionEvent

    def events(self) -> Iterator[ExecutionEvent]:
        """Yield the event."""
        yield self.event


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildEntry:
    """Entry of a root: a child began or ended."""

    number: int
    event: ExecutionEvent

    def events(self) -> Iterator[ExecutionEvent]:
        """Yield the event."""
        yield self.event


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitEntry:
    """Entry of an execution or a root: a node waits from now on."""

    number: int
    wait: NodeWait

    def events(self) -> Iterator[ExecutionEvent]:
        """Yield the event."""
        yield _waiting(self.wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEntry:
    """Last entry of an execution."""

    number: int
    status: ExecutionStatus
    left: Sequence[NodeExecution]
    """Records of nodes that ended with the execution."""

    def events(self) -> Iterator[ExecutionEvent]:
        """Yield the ends of the nodes, then the end of the execution."""
        for node in self.left:
            yield _finished(node)
        yield ExecutionEvent(name=EventName.EXECUTION_FINISHED, status=self.status)


Entry = StartEntry | StepEntry | ProgressEntry | ChildEntry | WaitEntry | EndEntry


def read_events(entry: Entry, after: EventId = BEFORE_ALL) -> list[tuple[EventId, ExecutionEvent]]:
    """Return the entry's events after the event `after`, with their ids."""
    numbered = (
        (EventId(entry.number, place), event) for place, event in enumerate(entry.events(), 1)
    )
    return [(event_id, event) for event_id, event in numbered if event_id > after]


def settle(index: int, status: NodeStatus, node: NodeExecution | None) -> NodeExecution:
    """Return the record of a settled node; without one, a record with its status alone."""
    return node or NodeExecution(index=index, status=status)


def _started(index: int, attempt: int) -> ExecutionEvent:
    return ExecutionEvent(name=EventName.NODE_STARTED, index=index, attempt=attempt)


def _waiting(wait: NodeWait) -> ExecutionEvent:
    return ExecutionEvent(name=EventName.EXECUTION_WAITING, wait=wait)


def _finished(node: NodeExecution) -> ExecutionEvent:
    return ExecutionEvent(
        name=EventName.NODE_FINISHED, index=node.index, attempt=node.attempts, node=node
    )
