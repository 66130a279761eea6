import networkx
import pytest

from engine.executions.statuses import (
    NODE_STATUSES,
    NODE_TERMINAL,
    NODE_TRANSITIONS,
    TERMINAL,
    TRANSITIONS,
    ExecutionStatus,
    NodeStatus,
    format_node_statuses,
    parse_node_statuses,
    parse_status,
)


def test_every_status_has_its_transitions() -> None:
    assert set(TRANSITIONS) == set(ExecutionStatus)
    assert set(NODE_TRANSITIONS) == set(NodeStatus)


def test_the_wire_words_are_those_of_the_contract() -> None:
    assert [status.value for status in ExecutionStatus] == [
        *("processing", "cancel_requested", "completed", "failed", "cancelled")
    ]
    assert {status.value for status in NodeStatus} == {
        *("pending", "ready", "running", "retrying", "waiting"),
        *("completed", "failed", "skipped", "cancelled"),
    }


@pytest.mark.parametrize("status", list(ExecutionStatus))
def test_an_execution_that_has_ended_moves_no_more(status: ExecutionStatus) -> None:
    assert (not TRANSITIONS[status]) is (status in TERMINAL)
    assert status not in TRANSITIONS[status]


@pytest.mark.parametrize("status", list(NodeStatus))
def test_a_node_that_has_ended_moves_no_more(status: NodeStatus) -> None:
    assert (not NODE_TRANSITIONS[status]) is (status in NODE_TERMINAL)
    assert status not in NODE_TRANSITIONS[status]


def test_every_status_can_be_reached_and_left_for_an_end() -> None:
    for start, table, ends in (
        (ExecutionStatus.PROCESSING, TRANSITIONS, TERMINAL),
        (NodeStatus.PENDING, NODE_TRANSITIONS, NODE_TERMINAL),
    ):
        shape = networkx.DiGraph([(a, b) for a, after in table.items() for b in after])
        assert networkx.descendants(shape, start) | {start} == set(table)
        for status in set(table) - ends:
            assert networkx.descendants(shape, status) & ends


def test_a_cancel_that_was_asked_for_can_only_end_as_cancelled() -> None:
    assert TRANSITIONS[ExecutionStatus.CANCEL_REQUESTED] == {ExecutionStatus.CANCELLED}


def test_every_status_that_is_stored_has_a_code_of_its_own() -> None:
    stored = set(NodeStatus) - {NodeStatus.READY}

    assert set(NODE_STATUSES.values()) == stored
    assert all(len(s.code) == 1 and NODE_STATUSES[s.code] is s for s in stored)


def test_statuses_are_stored_as_one_letter_each_in_plan_order() -> None:
    statuses = (NodeStatus.COMPLETED, NodeStatus.RETRYING, NodeStatus.PENDING)

    assert format_node_statuses(statuses) == "ctp"
    assert parse_node_statuses("ctp") == statuses


def test_statuses_of_a_later_release_are_of_executions_and_nodes_that_go_on() -> None:
    assert parse_node_statuses("cz") == (NodeStatus.COMPLETED, NodeStatus.RUNNING)
    assert parse_status("parked") is ExecutionStatus.PROCESSING
    assert [parse_status(each.value) for each in ExecutionStatus] == list(ExecutionStatus)
