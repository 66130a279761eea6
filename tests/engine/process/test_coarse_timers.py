"""Timers that futures share."""

import asyncio

from engine.process.coarse_timers import STEP_SECONDS, CoarseTimers


async def test_a_future_is_resolved_after_its_time_and_never_before() -> None:
    loop, timers = asyncio.get_running_loop(), CoarseTimers()
    for seconds in (0.0, 0.01, 0.12):
        future, began = loop.create_future(), loop.time()
        timers.resolve_after(seconds, future, loop)
        await future
        assert loop.time() - began >= seconds


async def test_futures_due_together_share_a_timer_and_those_that_are_done_are_left_alone() -> None:
    loop, timers = asyncio.get_running_loop(), CoarseTimers()
    started = list[float]()
    call_at = loop.call_at
    futures = [loop.create_future() for _ in range(100)]
    loop.call_at = lambda when, *args: started.append(when) or call_at(when, *args)  # type: ignore[method-assign]
    try:
        for future in futures:
            timers.resolve_after(2 * STEP_SECONDS, future, loop)
    finally:
        del loop.call_at
    futures[0].cancel()
    futures[1].set_result(None)
    await asyncio.gather(*futures, return_exceptions=True)
    assert len(started) < 5
    assert futures[0].cancelled()
