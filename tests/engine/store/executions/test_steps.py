"""Steps of a walk in the form that the script reads."""

from engine.executions.execution import ExecutionStatus, NodeStatus
from engine.executions.rows import FailedAttemptRow, NodeRow, StepRows, unpack_rows
from engine.store.executions.steps import Charge, Step, end_arguments, move_arguments
from engine.store.redis.record_packing import pack


def test_an_empty_step_moves_and_ends_nothing() -> None:
    assert move_arguments(Step()) == ("", "", "", b"", "stay", "0")
    assert end_arguments(Step(), "x") == ("", "x", b"", b"", "", "", "", b"")


def test_nodes_are_named_by_index_and_code() -> None:
    step = Step(
        settled=[(0, NodeStatus.COMPLETED), (12, NodeStatus.SKIPPED)],
        retrying=[(3, 500)],
        claimed=[4, 5],
        rows=[NodeRow(0, 1, 2, 3)],
        failed_attempts=[FailedAttemptRow(3, 1, 2, 4)],
        shares_work=True,
    )

    settled, retrying, claimed, rows, departure, offered = move_arguments(step)

    assert (settled, retrying, claimed) == ("0c12s", "3=500", "4,5")
    assert (departure, offered) == ("stay", "1")
    assert unpack_rows(bytes(rows)) == StepRows(step.rows, step.failed_attempts)


def test_a_walker_leaves_with_or_without_work_for_others() -> None:
    assert move_arguments(Step(leave=True))[4] == "leave"
    assert move_arguments(Step(leave=True, shares_work=True))[4] == "hand over"


def test_an_end_carries_outcome_charges_and_reservations() -> None:
    step = Step(
        end=ExecutionStatus.FAILED,
        result=pack(1),
        error={"code": "X"},
        charges={1: Charge(5, 700, "painter"), 2: Charge(0, 0)},
        reservations={3: 9},
        names_objects=True,
    )

    assert end_arguments(step, "x") == (
        *("failed", "x", pack(1), pack({"code": "X"})),
        *("1=5:700:painter,2=0:0:", "3=9", "1", b""),
    )
