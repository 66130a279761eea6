import asyncio
from collections.abc import Callable

import pytest
import uvloop

from engine.executions.statuses import NodeStatus
from engine.graph.plan import compile_plan
from engine.graph.progress import Progress, initial_statuses
from engine.store.executions.record_fields import NodeClaim
from tests.support.factories import http_fan
from workers.walk.state import RetryTimers, WalkState

GRAPH = http_fan("http://1.1.1.1/a", 1)

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.mark.parametrize("make_loop", LOOPS)
@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.0001, 0.01])
def test_a_node_is_due_after_its_pause_on_every_loop(
    make_loop: Callable[[], asyncio.AbstractEventLoop], seconds: float
) -> None:
    async def wait() -> list[int]:
        timers, due, rung = RetryTimers(), list[int](), asyncio.Event()

        def completion(index: int) -> None:
            due.append(index)
            rung.set()

        timers.start(7, seconds, completion)
        assert timers.has_within(1)
        await rung.wait()
        assert not timers.has_within(1)
        return due

    with asyncio.Runner(loop_factory=make_loop) as runner:
        assert runner.run(wait()) == [7]


async def test_a_pause_that_is_longer_is_not_within_the_time() -> None:
    timers = RetryTimers()

    timers.start(0, 60, print)
    assert not timers.has_within(1)
    assert timers.has_within(61)

    timers.stop()
    assert not timers.has_within(61)


async def test_a_later_choice_of_a_time_replaces_the_earlier_one() -> None:
    timers, due = RetryTimers(), list[int]()

    timers.start(0, 60, due.append)
    timers.start(0, 0, due.append)
    await asyncio.sleep(0.01)

    assert due == [0]
    assert not timers.has_within(61)


async def test_a_node_that_is_due_in_more_than_a_day_has_no_timer() -> None:
    timers = RetryTimers()

    timers.start(0, 60, print)
    timers.start(0, 2**53, print)

    assert not timers.has_within(2**60)


def parked_state(at: int) -> WalkState:
    plan = compile_plan(GRAPH.nodes, GRAPH.edges)
    state = WalkState(progress=Progress(plan, initial_statuses(plan)), is_shared=False)
    state.progress.begin(0)
    state.note_claim(0, fence=3, now=1_000)
    state.park(0, at, now=1_500)
    return state


async def test_a_parked_node_has_no_attempt_of_its_own() -> None:
    state = parked_state(at=9_000_000)

    assert state.progress.status(0) is NodeStatus.WAITING
    assert state.claims[0] == NodeClaim(fence=0, attempts=0, at=9_000_000, lost=0)
    state.note_claim(0, fence=4, now=2_000)
    assert state.claims[0].attempts == 1
    await state.stop()


async def test_a_parked_node_that_is_due_may_be_claimed() -> None:
    state = parked_state(at=1_500)
    await state.wake.wait()

    assert state.ready_io == [0]
    assert state.parked == set()


async def test_nobody_waits_for_a_node_that_another_walker_has_resumed() -> None:
    state = parked_state(at=1_500)

    state.unpark(0)
    await asyncio.sleep(0.01)

    assert (state.ready_io, state.parked) == ([], set())
