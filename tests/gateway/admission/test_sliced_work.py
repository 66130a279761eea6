"""Work in slices: it blocks the event loop only briefly, and accounts take turns."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from gateway.admission.sliced_work import SLICE_SECONDS, SlicedWork
from gateway.http.json_bodies import LARGE_BYTES, run_off_loop

SLICE_STEPS = 5
"""Steps that fill a slice."""


def busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def steps(done: list[str], name: str, count: int, size: int = 1) -> Iterator[int]:
    for _ in range(count):
        yield size
        busy(SLICE_SECONDS / SLICE_STEPS)
        done.append(name)


async def test_all_steps_are_done() -> None:
    done: list[str] = []

    await SlicedWork().run("a", run_off_loop, steps(done, "a", 40))
    await SlicedWork().run("a", run_off_loop, steps(done, "none", 0))

    assert done == ["a"] * 40


async def test_the_loop_serves_others_between_slices() -> None:
    done: list[str] = []
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while len(done) < 60:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    await SlicedWork().run("a", run_off_loop, steps(done, "a", 60))
    await counting

    assert turns >= 60 // SLICE_STEPS // 2


async def test_accounts_take_turns_whatever_one_asks_for() -> None:
    work, done = SlicedWork(), list[str]()
    greedy = [work.run("greedy", run_off_loop, steps(done, "greedy", 100)) for _ in range(10)]
    begun = [asyncio.create_task(each) for each in greedy]
    await asyncio.sleep(0)

    await work.run("modest", run_off_loop, steps(done, "modest", 20))
    between = "".join(name[0] for name in done).strip("g").split("m")
    await asyncio.gather(*begun)

    assert done.count("modest") == 20
    assert max(len(run) for run in between) <= 2 * (SLICE_STEPS + 1)
    assert len(done) == 1_020


async def test_a_large_step_leaves_the_loop() -> None:
    threads: list[int] = []

    def one(size: int) -> Iterator[int]:
        yield size
        threads.append(threading.get_ident())

    for size in (LARGE_BYTES - 1, LARGE_BYTES):
        await SlicedWork().run("a", run_off_loop, one(size))

    assert threads[0] == threading.get_ident()
    assert threads[1] != threads[0]


async def test_an_error_of_a_step_ends_the_work_and_frees_the_turn() -> None:
    work, done = SlicedWork(), list[str]()

    def failing(size: int) -> Iterator[int]:
        yield size
        raise LookupError

    for size in (1, LARGE_BYTES):
        with pytest.raises(LookupError):
            await work.run("a", run_off_loop, failing(size))
    await work.run("b", run_off_loop, steps(done, "b", 1))

    assert done == ["b"]
