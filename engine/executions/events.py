"""What those who watch an execution are told: entries as on record, events as they are read.

An entry is what one step did; it never changes, and always reads as the same events. So an event's
id, the entry's number and the event's place in it, is good on every gateway and after the end.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from engine.executions.execution import NODE_STATUSES, ExecutionStatus, NodeExecution, NodeStatus

EVENT_ID = re.compile(r"[0-9]{1,15}\.[0-9]{1,9}")


class EventName(StrEnum):
    """What can happen."""

    EXECUTION_STARTED = "execution.started"
    """Always the first: the execution was accepted."""
    NODE_STARTED = "node.started"
    """An attempt began. What the node told before counts no more."""
    NODE_RETRYING = "node.retrying"
    """An attempt failed; there is another after a pause."""
    NODE_PROGRESS = "node.progress"
    NODE_TEXT = "node.token"
    NODE_FINISHED = "node.finished"
    EXECUTION_FINISHED = "execution.finished"
    """Always the last."""


class EventId(NamedTuple):
    """Where an event is among those of its execution; later ones are greater."""

    number: int
    place: int

    def __str__(self) -> str:
        return f"{self.number}.{self.place}"


BEFORE_ALL = EventId(0, 0)


def parse_event_id(text: str) -> EventId:
    """The id again. Raises ValueError when it is not one."""
    if EVENT_ID.fullmatch(text) is None:
        raise ValueError("not the id of an event")
    number, place = text.split(".")
    return EventId(int(number), int(place))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionEvent:
    """One event; `index` is the node's in the plan, None for those of the execution."""

    name: EventName
    index: int | None = None
    attempt: int = 0
    pause_ms: int | None = None
    """With NODE_RETRYING: from the failure to the next attempt; None: it began before."""
    node: NodeExecution | None = None
    """With NODE_FINISHED."""
    item: int = 0
    """With NODE_PROGRESS and NODE_TEXT: which of the node's calls."""
    offset: int = 0
    """With NODE_TEXT: characters of the call's text before these; 0: it begins, perhaps anew."""
    text: str = ""
    progress: float = 0.0
    status: ExecutionStatus | None = None
    """With EXECUTION_FINISHED."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEntry:
    """The first entry: how far the execution had come when it was first watched."""

    number: int
    statuses: str
    attempts: Mapping[int, int]
    """Of the nodes that ran or waited for a retry."""
    nodes: Mapping[int, NodeExecution]
    """Those that had settled."""

    def events(self) -> Iterator[ExecutionEvent]:
        """In the order of the plan."""
        yield ExecutionEvent(name=EventName.EXECUTION_STARTED)
        for index, code in enumerate(self.statuses):
            if code in "rt":
                yield _started(index, self.attempts[index])
            if code == "t":
                attempt = self.attempts[index]
                yield ExecutionEvent(name=EventName.NODE_RETRYING, index=index, attempt=attempt)
            if code in "cf":
                yield _started(index, self.nodes[index].attempts)
            if code in "cfsx":
                yield _finished(self.nodes[index])


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEntry:
    """What a walker did at once."""

    number: int
    settled: Sequence[NodeExecution]
    unclaimed: frozenset[int]
    """Those of the settled that nobody was told had begun."""
    retrying: Sequence[tuple[int, int, int]]
    """Node index, the attempt that failed, and the pause in milliseconds."""
    claimed: Sequence[tuple[int, int]]
    """Node index and attempt."""

    def events(self) -> Iterator[ExecutionEvent]:
        """What ended, before what began."""
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
    """What a running node's call gave: a piece of text, or how far it is."""

    number: int
    event: ExecutionEvent

    def events(self) -> Iterator[ExecutionEvent]:
        """The one."""
        yield self.event


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEntry:
    """The last entry."""

    number: int
    status: ExecutionStatus
    left: Sequence[NodeExecution]
    """Nodes that ended with the execution."""

    def events(self) -> Iterator[ExecutionEvent]:
        """The nodes, then the execution."""
        for node in self.left:
            yield _finished(node)
        yield ExecutionEvent(name=EventName.EXECUTION_FINISHED, status=self.status)


Entry = StartEntry | StepEntry | ProgressEntry | EndEntry


def read_events(entry: Entry, after: EventId = BEFORE_ALL) -> list[tuple[EventId, ExecutionEvent]]:
    """The entry's events that come after one, with their ids."""
    numbered = (
        (EventId(entry.number, place), event) for place, event in enumerate(entry.events(), 1)
    )
    return [(event_id, event) for event_id, event in numbered if event_id > after]


def settle(index: int, code: str, node: NodeExecution | None) -> NodeExecution:
    """A node as it settled; `node` is its record, None when there is none."""
    return node or NodeExecution(index=index, status=NODE_STATUSES[code])


def _started(index: int, attempt: int) -> ExecutionEvent:
    return ExecutionEvent(name=EventName.NODE_STARTED, index=index, attempt=attempt)


def _finished(node: NodeExecution) -> ExecutionEvent:
    return ExecutionEvent(
        name=EventName.NODE_FINISHED, index=node.index, attempt=node.attempts, node=node
    )
