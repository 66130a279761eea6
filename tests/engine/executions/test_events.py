"""Events derived from stored entries."""

import pytest

from engine.executions.events import (
    ChildEntry,
    ChildRef,
    EndEntry,
    EventId,
    EventName,
    ExecutionEvent,
    ProgressEntry,
    StartEntry,
    StepEntry,
    parse_event_id,
    read_events,
    settle,
)
from engine.executions.execution import NodeExecution
from engine.executions.statuses import ExecutionStatus, NodeStatus, parse_node_statuses

DONE = NodeExecution(index=0, status=NodeStatus.COMPLETED, attempts=2)
SKIPPED = NodeExecution(index=1, status=NodeStatus.SKIPPED)


def summary(events: list[tuple[EventId, ExecutionEvent]]) -> list[tuple[str, str, int | None, int]]:
    return [(str(name), each.name.value, each.index, each.attempt) for name, each in events]


def test_the_entry_of_a_child_is_one_event() -> None:
    child = ChildRef("c", "p", "each", 7)
    event = ExecutionEvent(name=EventName.CHILD_STARTED, child=child)

    assert read_events(ChildEntry(number=4, event=event)) == [(EventId(4, 1), event)]


def test_a_node_that_waits_when_the_watch_begins_has_started() -> None:
    entry = StartEntry(number=1, statuses=parse_node_statuses("w"), attempts={0: 1}, nodes={})

    assert summary(read_events(entry))[1:] == [("1.2", "node.started", 0, 1)]


def test_an_id_is_read_as_it_was_written() -> None:
    assert parse_event_id(str(EventId(12, 3))) == EventId(12, 3)


@pytest.mark.parametrize(
    "text", ["", "1", "1.", ".1", "1.2.3", "-1.1", "1.1 ", "a.b", "١.١", f"{10**15}.1"]
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the id"):
        parse_event_id(text)


def test_ids_are_ordered_as_numbers() -> None:
    assert EventId(9, 12) < EventId(10, 1) < EventId(10, 2)


def test_the_first_entry_tells_how_far_it_has_come() -> None:
    entry = StartEntry(
        number=1,
        statuses=parse_node_statuses("csrtp"),
        attempts={2: 1, 3: 4},
        nodes={0: DONE, 1: SKIPPED},
    )

    assert summary(read_events(entry)) == [
        ("1.1", "execution.started", None, 0),
        ("1.2", "node.started", 0, 2),
        ("1.3", "node.finished", 0, 2),
        ("1.4", "node.finished", 1, 0),
        ("1.5", "node.started", 2, 1),
        ("1.6", "node.started", 3, 4),
        ("1.7", "node.retrying", 3, 4),
    ]


def test_a_step_tells_of_a_start_that_nobody_was_told_of() -> None:
    claimed = NodeExecution(index=4, status=NodeStatus.FAILED, attempts=1)
    entry = StepEntry(
        number=2,
        settled=[DONE, SKIPPED, claimed],
        unclaimed=frozenset({0, 1}),
        retrying=[(2, 1, 500)],
        claimed=[(3, 1)],
    )

    assert summary(read_events(entry)) == [
        ("2.1", "node.started", 0, 2),
        ("2.2", "node.finished", 0, 2),
        ("2.3", "node.finished", 1, 0),
        ("2.4", "node.finished", 4, 1),
        ("2.5", "node.retrying", 2, 1),
        ("2.6", "node.started", 3, 1),
    ]


def test_the_last_entry_tells_of_what_ended_with_it() -> None:
    left = [NodeExecution(index=1, status=NodeStatus.CANCELLED, attempts=1)]
    entry = EndEntry(number=7, status=ExecutionStatus.CANCELLED, left=left)

    events = read_events(entry)

    assert summary(events) == [
        ("7.1", "node.finished", 1, 1),
        ("7.2", "execution.finished", None, 0),
    ]
    assert events[1][1].status is ExecutionStatus.CANCELLED


def test_what_was_seen_is_left_out() -> None:
    entry = StartEntry(number=3, statuses=[NodeStatus.RUNNING], attempts={0: 1}, nodes={})

    assert summary(read_events(entry, EventId(3, 1))) == [("3.2", "node.started", 0, 1)]
    assert read_events(entry, EventId(3, 2)) == []
    assert len(read_events(entry, EventId(2, 9))) == 2


def test_what_a_node_tells_is_one_event() -> None:
    event = ExecutionEvent(name=EventName.NODE_TEXT, index=0, attempt=1, text="a")

    assert read_events(ProgressEntry(number=4, event=event)) == [(EventId(4, 1), event)]


def test_a_node_without_a_record_has_its_status_alone() -> None:
    assert settle(2, NodeStatus.CANCELLED, None) == NodeExecution(
        index=2, status=NodeStatus.CANCELLED
    )
    assert settle(0, NodeStatus.COMPLETED, DONE) is DONE
