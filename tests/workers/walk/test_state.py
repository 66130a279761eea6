import asyncio
from collections.abc import Callable

import pytest
import uvloop

from workers.walk.state import RetryTimers

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
