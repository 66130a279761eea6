"""Time limits that share timers."""

import asyncio

import pytest

from engine.process.batch_timers import MAX_EMPTY
from engine.process.time_limits import TimeLimits


async def test_a_task_is_stopped_after_its_time_and_never_before() -> None:
    loop, limits = asyncio.get_running_loop(), TimeLimits()
    for seconds in (0.0, 0.01, 0.12):
        began = loop.time()
        with pytest.raises(TimeoutError), limits.limit(seconds):
            await asyncio.sleep(5)
        assert loop.time() - began >= seconds
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling()


async def test_work_that_ends_in_time_is_left_alone_and_leaves_nothing() -> None:
    limits = TimeLimits()
    for _ in range(100):
        with limits.limit(0.05):
            await asyncio.sleep(0)
    await asyncio.sleep(0.15)
    assert not limits.timers._batches


async def test_calls_that_end_soon_leave_a_few_timers_until_their_limits() -> None:
    limits = TimeLimits()
    with limits.limit(3_600):
        [held] = limits.timers._batches.values()
        for number in range(1_000):
            with limits.limit(3_600 + number):
                timer = list(limits.timers._batches.values())[-1].timer
        assert len(limits.timers._batches) == MAX_EMPTY + 1

    with limits.limit(1):
        pass
    assert len(limits.timers._batches) == MAX_EMPTY
    assert not (timer.cancelled() or held.timer.cancelled())
    for number in range(MAX_EMPTY):
        with limits.limit(7_200 + number):
            pass
    assert timer.cancelled() and held.timer.cancelled()


async def test_a_step_that_was_empty_ends_the_work_that_comes_to_it() -> None:
    limits = TimeLimits()
    for seconds in (0.2, 0.21, 0.22, 0.23):
        with limits.limit(seconds):
            pass
    with pytest.raises(TimeoutError), limits.limit(0.2):
        await asyncio.sleep(5)
    await asyncio.sleep(0.1)
    assert not (limits.timers._batches or limits.timers._empty)


async def test_another_error_passes() -> None:
    limits = TimeLimits()
    with pytest.raises(KeyError), limits.limit(1):
        raise KeyError


async def test_a_cancel_by_somebody_else_stays_a_cancel() -> None:
    limits = TimeLimits()

    async def work() -> None:
        with limits.limit(5):
            await asyncio.sleep(5)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_limit_within_another_ends_alone() -> None:
    limits = TimeLimits()
    with limits.limit(5):
        with pytest.raises(TimeoutError), limits.limit(0.01):
            await asyncio.sleep(5)
        await asyncio.sleep(0)
