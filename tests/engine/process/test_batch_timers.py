"""Timers that items share."""

import asyncio

from engine.process.batch_timers import BatchTimers

STEP_SECONDS = 0.05


async def test_an_item_expires_after_its_time_and_never_before() -> None:
    loop, expired = asyncio.get_running_loop(), asyncio.Queue[float]()
    timers = BatchTimers(expired.put_nowait, STEP_SECONDS)
    for seconds in (0.0, 0.01, 0.12):
        began = loop.time()
        timers.add(seconds, seconds)
        assert await expired.get() == seconds
        assert loop.time() - began >= seconds


async def test_items_due_together_share_a_timer_and_those_removed_never_expire() -> None:
    loop, expired = asyncio.get_running_loop(), list[int]()
    timers = BatchTimers(expired.append, STEP_SECONDS)
    steps = [timers.add(2 * STEP_SECONDS, number) for number in range(100)]
    assert len(timers._batches) < 5

    timers.remove(steps[0], 0)
    timers.remove(steps[1], 1)
    ended = loop.create_future()
    loop.call_later(4 * STEP_SECONDS, ended.set_result, None)
    await ended

    assert sorted(expired) == list(range(2, 100))
    assert not timers._batches
