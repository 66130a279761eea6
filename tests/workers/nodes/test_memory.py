"""Executions share the memory of their worker, wait for it, and never deadlock."""

import asyncio
import random

import pytest

from tests.support.eventually import PATIENCE_SECONDS
from workers.nodes.memory import LARGE_BYTES, OVERFLOW_RUNS, MemoryBudget, RunMemory

MB = 1_048_576
LIMIT = 100 * MB


@pytest.fixture
def budget() -> MemoryBudget:
    return MemoryBudget(LIMIT)


async def is_waiting(task: "asyncio.Task[None]") -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return not task.done()


def wait(run: RunMemory) -> "asyncio.Task[None]":
    return asyncio.create_task(run.wait())


async def test_bytes_are_counted_until_the_run_is_closed(budget: MemoryBudget) -> None:
    with budget.open(10) as first:
        first.add(5)
        with budget.open(7):
            assert budget.used == 22
        first.add(-5)
        assert budget.used == 10

    assert budget.used == 0


async def test_a_large_one_waits_from_three_quarters_on_and_a_small_one_from_the_limit_on(
    budget: MemoryBudget,
) -> None:
    hog, large, small = budget.open(70 * MB), budget.open(2 * MB), budget.open(MB)
    assert (large.may_grow, small.may_grow) == (True, True)

    hog.add(5 * MB)
    assert (hog.may_grow, large.may_grow, small.may_grow) == (False, False, True)

    hog.add(25 * MB)
    assert (hog.may_grow, large.may_grow, small.may_grow) == (False, False, False)


async def test_the_one_that_waits_longest_goes_on_past_the_limit_until_it_ends(
    budget: MemoryBudget,
) -> None:
    first, second, third = (budget.open(40 * MB) for _ in range(3))
    waiting = [wait(second), wait(first), wait(third)]
    await asyncio.sleep(0)

    assert not await is_waiting(waiting[0])
    assert second.may_grow
    assert await is_waiting(waiting[1])
    second.add(500 * MB)
    assert second.may_grow

    with second:
        pass  # its end
    assert budget.used == 80 * MB
    assert not await is_waiting(waiting[1])
    assert await is_waiting(waiting[2])

    with first:
        pass
    await waiting[2]
    assert budget.waiting == 0


async def test_a_cancelled_wait_leaves_its_place_to_others(budget: MemoryBudget) -> None:
    runs = [budget.open(40 * MB) for _ in range(3)]
    waiting = [wait(run) for run in runs]
    await asyncio.sleep(0)
    waiting[1].cancel()
    await asyncio.sleep(0)

    with runs[0]:
        pass

    await waiting[2]
    assert budget.waiting == 0


async def test_a_large_one_is_not_starved_by_small_ones(budget: MemoryBudget) -> None:
    holding, large = budget.open(80 * MB), budget.open(2 * MB)
    other = wait(holding)  # no other is ahead of it: it goes on
    waiting = wait(large)
    assert not await is_waiting(other)
    assert await is_waiting(waiting)

    for _ in range(100):
        with budget.open(MB) as small:
            await small.wait()
    assert await is_waiting(waiting)
    with holding:
        pass

    await waiting


async def test_beyond_the_limit_a_few_small_ones_are_let_in(budget: MemoryBudget) -> None:
    assert budget.admits() > 1_000
    notified: list[int] = []
    budget.on_capacity(lambda: notified.append(budget.admits()))
    budget.open(LIMIT)

    overflow = [budget.open(100) for _ in range(OVERFLOW_RUNS)]

    assert budget.admits() == 0
    assert all(guest.may_grow for guest in overflow)
    assert not budget.open(100).may_grow
    overflow[0].add(LARGE_BYTES)
    assert not overflow[0].may_grow
    assert notified == []
    with overflow[1]:
        pass
    assert notified == [1]


@pytest.mark.parametrize("seed", range(20))
async def test_runs_that_grow_past_the_limit_together_all_end(seed: int) -> None:
    dice = random.Random(seed)
    limit, step, steps, runs = 1_000, 100, 30, 40
    budget, peak, ended = MemoryBudget(limit), 0, 0

    async def go(dice: random.Random) -> None:
        nonlocal peak, ended
        with budget.open(dice.randrange(step)) as run:
            for _ in range(dice.randrange(1, steps)):
                for _ in range(dice.randrange(3)):
                    await asyncio.sleep(0)
                await run.wait()
                run.add(dice.randrange(step))
                peak = max(peak, budget.used)
                if dice.random() < 0.2:
                    run.add(-run.used // 2)
        ended += 1

    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        for _ in range(runs):
            group.create_task(go(random.Random(dice.random())))

    assert ended == runs
    assert (budget.used, budget.waiting) == (0, 0)
    # All are open from the beginning; then one goes on past the limit at a time.
    assert peak <= limit + runs * step + steps * step


async def test_a_crowd_that_waits_is_woken_in_little_time(budget: MemoryBudget) -> None:
    hog = budget.open(LIMIT)
    crowd = [budget.open(0) for _ in range(5_000)]
    looks = 0

    async def go(run: RunMemory) -> None:
        nonlocal looks
        with run:
            while not run.may_grow:
                looks += 1
                woken = asyncio.Event()
                run.call_when_available(woken.set)
                await woken.wait()

    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        for run in crowd:
            group.create_task(go(run))
        await asyncio.sleep(0)
        with hog:
            pass

    assert looks <= 5 * len(crowd)


async def test_all_of_a_crowd_go_on_though_none_of_them_ends(budget: MemoryBudget) -> None:
    hog = budget.open(LIMIT)
    waiting = [wait(budget.open(0)) for _ in range(100)]
    await asyncio.sleep(0)

    with hog:
        pass

    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*waiting)
    assert budget.waiting == 0
