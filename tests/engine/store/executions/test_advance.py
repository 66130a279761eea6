"""Steps of a walk in the form that the script reads."""

from engine.executions.rows import FailedAttemptRow, NodeRow, StepRows, unpack_rows
from engine.executions.statuses import NodeStatus
from engine.store.executions.advance import Charge, Step
from engine.store.redis.record_packing import pack


def test_an_empty_step_moves_and_ends_nothing() -> None:
    step = Step()

    assert step.settled_text + step.retrying_text + step.claimed_text == ""
    assert step.charges_text + step.reservations_text == ""
    assert step.packed_rows + step.packed_outputs + step.packed_error == b""


def test_nodes_are_named_by_index_and_code() -> None:
    step = Step(
        settled=[(0, NodeStatus.COMPLETED), (12, NodeStatus.SKIPPED)],
        retrying=[(3, 500)],
        claimed=[4, 5],
        rows=[NodeRow(0, 1, 2, 3)],
        failed_attempts=[FailedAttemptRow(3, 1, 2, 4)],
    )

    assert (step.settled_text, step.retrying_text, step.claimed_text) == ("0c12s", "3=500", "4,5")
    assert unpack_rows(step.packed_rows) == StepRows(step.rows, step.failed_attempts)


def test_an_end_carries_its_error_charges_and_reservations() -> None:
    step = Step(
        error={"code": "X"},
        charges={1: Charge(5, 700, "painter"), 2: Charge(0, 0)},
        reservations={3: 9},
    )

    assert step.packed_error == pack({"code": "X"})
    assert step.charges_text == "1=5:700:painter,2=0:0:"
    assert step.reservations_text == "3=9"
