"""Time limits that share timers."""

import asyncio

import pytest

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
    assert not limits._batches


async def test_a_timer_ends_with_the_last_work_that_it_is_for() -> None:
    """Those of calls that end soon would last as long as their limits, an hour perhaps."""
    limits = TimeLimits()
    with limits.limit(3_600):
        for _ in range(1_000):
            with limits.limit(3_600):
                await asyncio.sleep(0)
        [timer] = [batch.timer for batch in limits._batches.values()][-1:]
        assert len(limits._batches) <= 2
        assert not timer.cancelled()

    assert timer.cancelled()
    assert not limits._batches


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
