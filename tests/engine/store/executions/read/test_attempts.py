"""Attempts at a node, read from the record of its execution."""

from engine.executions.rows import FailedAttemptRow, NodeRow, StepRows, pack_rows
from engine.executions.statuses import NodeStatus
from engine.store.executions.read.attempts import (
    LOST_ERROR,
    AttemptRecord,
    NodeAttempts,
    parse_attempts,
)
from engine.store.executions.record_fields import parse_nodes, parse_rows


def pack_nodes(*rows: NodeRow) -> bytes:
    return pack_rows(StepRows(rows))


TIMEOUT = {"code": "timeout", "message": "too slow"}
RETRIED = {
    "statuses": b"c",
    "w1": b"host-1-a",
    "w2": b"host-2-b",
    "r1.1": pack_rows(
        StepRows(failed_attempts=[FailedAttemptRow(0, 1, 1_000, 50, TIMEOUT, pause_ms=500)])
    ),
    "r2.1": pack_nodes(NodeRow(0, 2, 1_560, 30, None, b"out", 7, 20)),
}
"""A node that failed, paused for half a second and completed at another worker."""


def test_a_node_of_one_attempt_has_waited_for_nothing_but_its_begin() -> None:
    record = {"w1": b"host-1-a", "r1.3": pack_nodes(NodeRow(4, 1, 1_000, 50, None, b"out"))}

    assert parse_attempts(record, 4, NodeStatus.COMPLETED, 990) == NodeAttempts(
        attempts=(
            AttemptRecord(
                number=1,
                started_at=1_000,
                ended_at=1_050,
                queued_ms=10,
                worker="host-1-a",
                error=None,
            ),
        )
    )


def test_a_retry_is_queued_from_the_end_of_its_pause_to_its_turn_at_the_provider() -> None:
    found = parse_attempts(RETRIED, 0, NodeStatus.COMPLETED, 1_000)

    assert found.waited_ms == 500
    assert [each.worker for each in found.attempts] == ["host-1-a", "host-2-b"]
    assert [each.error for each in found.attempts] == [TIMEOUT, None]
    assert [(each.started_at, each.ended_at) for each in found.attempts] == [
        (1_000, 1_050),
        (1_580, 1_590),
    ]
    assert [each.queued_ms for each in found.attempts] == [0, 30]


def test_rows_of_failed_attempts_are_no_rows_of_nodes() -> None:
    assert list(parse_rows(RETRIED)) == [0]
    (node,) = parse_nodes(RETRIED)
    assert (node.attempts, node.credits_cost) == (2, 7)


def test_an_attempt_whose_worker_died_ends_with_it() -> None:
    record = {
        "w1": b"host-1-a",
        "w2": b"host-2-b",
        "l0": b"1:1:1000:3000,",
        "n0": b"2:2:3010:1",
    }

    lost, running = parse_attempts(record, 0, NodeStatus.RUNNING, 1_000).attempts

    assert (lost.ended_at, lost.worker, lost.error) == (3_000, "host-1-a", LOST_ERROR)
    assert (running.number, running.started_at, running.ended_at) == (2, 3_010, None)
    assert (running.queued_ms, running.worker, running.error) == (10, "host-2-b", None)


def test_a_node_that_failed_without_another_attempt_has_none_more() -> None:
    lost = {
        "l0": b"1:1:10:20,2:2:30:40,3:3:50:60,",
        "r4.1": pack_nodes(NodeRow(0, 3, 70, 0, TIMEOUT)),
    }
    never = {"r1.1": pack_nodes(NodeRow(0, error=TIMEOUT))}

    assert len(parse_attempts(lost, 0, NodeStatus.FAILED, 10).attempts) == 3
    assert parse_attempts(never, 0, NodeStatus.FAILED, 10).attempts == ()


def test_a_node_that_was_stopped_ended_with_its_execution() -> None:
    record = {"w1": b"host-1-a", "n0": b"1:1:60:0", "completed": b"100"}

    (attempt,) = parse_attempts(record, 0, NodeStatus.CANCELLED, 50).attempts

    assert (attempt.started_at, attempt.ended_at, attempt.error) == (60, 100, None)


def test_a_node_that_waits_or_was_skipped_has_no_attempt() -> None:
    for status in (NodeStatus.PENDING, NodeStatus.SKIPPED):
        assert parse_attempts({"n0": b"0:0:60:0"}, 0, status, 50) == NodeAttempts()


def test_a_run_that_was_walked_before_its_claim_names_no_worker() -> None:
    record = {"started": b"100", "r0.1": pack_nodes(NodeRow(0, 1, 3, 2))}

    (attempt,) = parse_attempts(record, 0, NodeStatus.COMPLETED, 100).attempts

    assert (attempt.started_at, attempt.ended_at, attempt.worker) == (103, 105, None)
