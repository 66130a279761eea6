"""Recording of steps: once, whole, and for as long as it takes."""

from copy import copy
from typing import Any, cast

import pytest

from engine.errors import StoreFull, Unavailable
from engine.errors.nodes import NodeFailed
from engine.executions.rows import FailedAttemptRow, NodeRow
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.store.executions.advance import Advanced, Charge, Step, Verdict
from engine.store.executions.claim import Lease
from engine.store.executions.record_fields import pack_name
from engine.store.executions.walks import Walks
from tests.support.workers.claimed_execution import CLAIMED, HOLD
from workers.walk.step import LeaseLost, RecordBehind, Recorder

TIMEOUT = {"code": "timeout", "message": "too slow"}
OK = Advanced(Verdict.OK, "c", 1)


class ScriptedWalks:
    """Gives scripted replies to steps, and remembers the steps."""

    def __init__(self, *answers: Advanced | Exception) -> None:
        self._answers = list(answers)
        self.steps: list[tuple[int, Step]] = []

    async def advance(self, lease: Lease, number: int, step: Step) -> Advanced:
        assert lease == HOLD
        self.steps.append((number, copy(step)))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def recording(*answers: Advanced | Exception) -> tuple[Recorder, ScriptedWalks]:
    walks = ScriptedWalks(*answers)
    return Recorder(cast(Walks, walks), CLAIMED), walks


def failed(index: int, pause_ms: int = 1000) -> FailedAttemptRow:
    return FailedAttemptRow(index, 1, 5, 2, TIMEOUT, pause_ms=pause_ms)


def settle(recorder: Recorder, index: int, **changes: Any) -> None:
    values: dict[str, Any] = {
        "attempts": 1,
        "started_at": 5,
        "duration_ms": 2,
        "failure": None,
        "outputs": b"out",
    }
    recorder.add_settled(index, NodeStatus.COMPLETED, **values | changes)


async def test_a_step_is_sent_again_as_it_was_until_the_store_takes_it() -> None:
    recorder, walks = recording(Unavailable("away"), StoreFull(), OK)
    settle(recorder, 0)

    assert await recorder.record(claim=[1]) == OK

    assert [number for number, _ in walks.steps] == [1, 1, 1]
    assert walks.steps[0] == walks.steps[2]
    assert walks.steps[2][1].settled == [(0, NodeStatus.COMPLETED)]
    assert walks.steps[2][1].claimed == [1]


async def test_a_step_that_was_taken_is_over_and_the_next_has_the_next_number() -> None:
    recorder, walks = recording(OK, OK)
    settle(recorder, 0)
    recorder.add_retry(failed(1, 250))
    assert recorder.must_record

    await recorder.record()

    assert recorder.is_empty
    assert not recorder.must_record
    await recorder.leave(shares_work=True)
    assert [(number, step.settled) for number, step in walks.steps] == [
        (1, [(0, NodeStatus.COMPLETED)]),
        (2, []),
    ]
    assert walks.steps[0][1].retrying == [(1, 250)]
    assert (walks.steps[1][1].leave, walks.steps[1][1].shares_work) == (True, True)


@pytest.mark.parametrize(("verdict", "number"), [(Verdict.CANCEL, 1), (Verdict.CONFLICT, 2)])
async def test_a_refused_step_stays_and_a_conflict_has_used_its_number(
    verdict: Verdict, number: int
) -> None:
    recorder, walks = recording(Advanced(verdict), OK)
    settle(recorder, 0)
    recorder.add_skipped(1)

    await recorder.leave(shares_work=False)
    await recorder.record()

    assert [each for each, _ in walks.steps] == [1, number]
    assert walks.steps[1][1].settled == [(0, NodeStatus.COMPLETED), (1, NodeStatus.SKIPPED)]
    assert not walks.steps[1][1].leave


async def test_outcomes_that_nobody_pays_for_leave_a_step_with_nodes_that_depend_on_them() -> None:
    recorder, walks = recording(Advanced(Verdict.CLOSED), OK)
    settle(recorder, 0)
    settle(recorder, 1, charge=Charge(5, 5000))
    settle(recorder, 2)
    recorder.add_skipped(3)
    await recorder.record()

    recorder.drop_unpaid(called={0, 1})
    await recorder.record()

    assert [number for number, _ in walks.steps] == [1, 1]
    step = walks.steps[1][1]
    assert (step.settled, step.charges) == ([(0, NodeStatus.COMPLETED)], {})
    assert [row.index for row in step.rows] == [0]


@pytest.mark.parametrize("verdict", [Verdict.ENDED, Verdict.FENCED])
async def test_an_execution_of_another_worker_is_a_lost_lease(verdict: Verdict) -> None:
    recorder, _ = recording(Advanced(verdict))

    with pytest.raises(LeaseLost):
        await recorder.record()


async def test_a_record_that_lacks_earlier_steps_is_not_built_on() -> None:
    recorder, _ = recording(Advanced(Verdict.BEHIND))
    settle(recorder, 0)

    with pytest.raises(RecordBehind):
        await recorder.end(ExecutionStatus.COMPLETED, b"", None)


async def test_the_end_carries_the_last_step_and_puts_off_nothing() -> None:
    recorder, walks = recording(OK)
    settle(recorder, 0, failure=NodeFailed("timeout", "too slow"), outputs=None)
    recorder.add_retry(failed(1))

    await recorder.end(ExecutionStatus.FAILED, b"", {"code": "EXECUTION_FAILED"})

    step = walks.steps[0][1]
    assert step.retrying == []
    assert step.end is ExecutionStatus.FAILED
    assert step.rows == [NodeRow(0, 1, 5, 2, TIMEOUT)]
    assert step.failed_attempts == [failed(1)], "it is on record although no other follows"


async def test_offloaded_outputs_are_named() -> None:
    recorder, walks = recording(OK, OK, OK)
    settle(recorder, 0)

    await recorder.record()
    settle(recorder, 1, outputs="3.1.300000")
    await recorder.record()
    await recorder.end(ExecutionStatus.COMPLETED, pack_name("3.2.300000"), None)

    assert [step.names_objects for _, step in walks.steps] == [False, True, True]
    assert walks.steps[1][1].rows[0].outputs == "3.1.300000"


async def test_nodes_recorded_by_others_are_dropped() -> None:
    recorder, walks = recording(OK)
    settle(recorder, 0, charge=Charge(7, 1))
    settle(recorder, 1, charge=Charge(8, 1))
    recorder.add_retry(failed(2))
    recorder.add_retry(failed(3))
    assert recorder.settled == {0, 1}

    recorder.drop({0, 2})
    await recorder.record()

    step = walks.steps[0][1]
    assert (step.settled, step.retrying) == ([(1, NodeStatus.COMPLETED)], [(3, 1000)])
    assert [row.index for row in step.rows] == [1]
    assert step.failed_attempts == [failed(3)]
    assert step.charges == {1: Charge(8, 1)}, "a node is charged by whoever has recorded it"
