"""Pace of batches, and of another account's runs beside them."""

import asyncio
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.acceptance.callers import Caller, make_caller, p95, save
from tests.support.acceptance.running_stack import running
from tests.support.contract.batch_caller import BatchCaller
from tests.support.factories import Graph, greeting
from tests.support.http.scripted_server import serving


def beside_a_batch(folder: Path, *, items: int, rounds: int) -> tuple[float, float, float]:
    """Return the p95 of a caller alone and beside batches, and the seconds of a batch."""
    alone: list[float] = []
    beside: list[float] = []
    seconds: list[float] = []
    with running(folder, "--no-demo", "--workers", "2") as stack:
        batcher = BatchCaller(stack, "batcher")
        slug = batcher.save("Batch", greeting())
        _, key = make_caller(stack, "light")
        with closing(Caller(stack, save(stack, key, "Light"), key)) as caller:
            caller.times(lambda made: made < 100)
            for _ in range(rounds):
                alone += caller.times(lambda made: made < 200)
                began = time.perf_counter()
                batch_id = batcher.start(slug, items, 100)
                over = threading.Event()

                def watch(batch_id: str = batch_id, over: threading.Event = over) -> None:
                    batcher.end(batch_id)
                    over.set()

                watcher = threading.Thread(target=watch)
                watcher.start()
                beside += caller.times(lambda _, over=over: not over.is_set())
                watcher.join()
                seconds.append(time.perf_counter() - began)
                batcher.check_books(batch_id, items)
    return p95(alone), p95(beside), min(seconds)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_thousand_texts_take_seconds_and_leave_others_their_pace(tmp_path: Path) -> None:
    alone, beside, seconds = beside_a_batch(tmp_path, items=1_000, rounds=3)

    print(f"1,000 items in {seconds:.2f} s; p95 of another account's runs alone ", end="")
    print(f"{alone * 1000:.2f} ms, beside {beside * 1000:.2f} ms")
    assert beside <= max(0.05, 3 * alone)


@pytest.mark.A91m
@pytest.mark.thorough
def test_a_run_does_not_wait_for_a_batch_before_it(tmp_path: Path) -> None:
    """With a limit that holds on a machine that is busy with other tests."""
    alone, beside, _ = beside_a_batch(tmp_path, items=300, rounds=1)

    assert beside < max(0.25, 10 * alone)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_thousand_calls_run_a_hundred_at_a_time(tmp_path: Path) -> None:
    async with serving() as target:

        def work() -> float:
            graph = Graph("who").node("call", "httpRequest", url=target.url + "/slow/0.1")
            graph.node("out", "responseOutput").wire("call.response-out > out.result-in")
            options = ("--no-demo", "--workers", "2")
            with running(tmp_path, *options, HEADRACE_ALLOW_PRIVATE_URLS="1") as stack:
                batcher = BatchCaller(stack, "batcher")
                slug = batcher.save("Calls", graph)
                began = time.perf_counter()
                batch_id = batcher.start(slug, 1_000, 100)
                batcher.end(batch_id)
                seconds = time.perf_counter() - began
                batcher.check_books(batch_id, 1_000)
                return seconds

        seconds = await asyncio.to_thread(work)
    print(f"1,000 calls of 100 ms, 100 at a time: {seconds:.2f} s")
    assert target.calls.total() == 1_000
