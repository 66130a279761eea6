"""Settlement of nodes in the state of a walk."""

import pytest

from engine.errors.nodes import NodeFailed
from engine.executions.statuses import NodeStatus
from engine.graph.plan import Plan, compile_plan
from engine.graph.progress import Progress, initial_statuses
from engine.store.redis.record_packing import pack
from tests.support.factories import Graph, http_fan
from tests.support.workers.claimed_execution import CLAIMED
from workers.nodes.executor import AttemptOutcome
from workers.walk.settlement import NodeSettlement
from workers.walk.state import WalkState
from workers.walk.step import Recorder

NOBODY = None
"""The recorder of these tests gathers and never sends."""


def plan_of(graph: Graph) -> Plan:
    return compile_plan(graph.nodes, graph.edges)


class Settled:
    """A settlement with the state and the recorder that it changes."""

    def __init__(self, plan: Plan) -> None:
        self.state = WalkState(progress=Progress(plan, initial_statuses(plan)), is_shared=False)
        self.recorder = Recorder(NOBODY, CLAIMED)
        self.settlement = NodeSettlement(CLAIMED, plan, self.state, self.recorder)
        self.state.progress.ready.clear()
        self.state.progress.begin(0)
        self.state.note_claim(0, fence=1, now=0)

    def settle(self, outcome: AttemptOutcome) -> None:
        """Settle the first node."""
        self.settlement.settle(0, 0.0, outcome)


def call(**data: object) -> Plan:
    return plan_of(http_fan("http://1.1.1.1/a", 1, **data))


async def test_a_completed_node_delivers_to_its_dependents() -> None:
    settled = Settled(call())

    settled.settle(AttemptOutcome({"response-out": 1}, pack({"response-out": 1})))

    assert settled.state.progress.status(0) is NodeStatus.COMPLETED
    assert settled.state.progress.ready == [1]
    assert settled.recorder.settled == {0}


@pytest.mark.parametrize(("on_error", "is_fatal"), [("fail", True), ("continue", False)])
async def test_a_failed_node_ends_the_execution_unless_it_may_go_on(
    on_error: str, is_fatal: bool
) -> None:
    settled = Settled(call(onError=on_error))

    settled.settle(AttemptOutcome(failure=NodeFailed("http_status", "It answered 500")))

    assert (settled.settlement.failed is not None) is is_fatal
    assert settled.state.progress.ready == ([] if is_fatal else [1])


async def test_a_failure_that_may_pass_is_retried_after_a_pause() -> None:
    settled = Settled(call(retry={"attempts": 2, "backoff": 5}))

    settled.settle(AttemptOutcome(failure=NodeFailed("http_status", "503", retryable=True)))

    assert settled.state.progress.status(0) is NodeStatus.RETRYING
    assert settled.state.timers.has_within(5.0) and not settled.state.timers.has_within(1.0)
    assert settled.settlement.failed is None
    await settled.state.stop()


async def test_a_parked_node_waits_without_an_end() -> None:
    settled = Settled(call())

    settled.settle(AttemptOutcome(parked_until=2**53))

    assert settled.state.progress.status(0) is NodeStatus.WAITING
    assert settled.recorder.parked == {0}
    assert settled.recorder.must_record and not settled.recorder.is_empty
    assert settled.settlement.failed is None


async def test_the_cap_of_credits_that_a_child_has_met_ends_the_execution() -> None:
    settled = Settled(call(onError="continue"))

    settled.settle(AttemptOutcome(failure=NodeFailed("MAX_CREDITS_EXCEEDED", "Item 3: over")))

    assert settled.settlement.failed is not None


async def test_a_node_that_waited_for_its_children_has_lasted_since_they_began() -> None:
    settled = Settled(call())

    outcome = AttemptOutcome({"response-out": 1}, pack({"response-out": 1}), began_at=-5_000)
    settled.settle(outcome)

    [row] = settled.recorder._step.rows
    assert row.started_at == -5_000
    assert row.duration_ms is not None and row.duration_ms >= 5_000
