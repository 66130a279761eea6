"""The stop of a process by signals."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator

import pytest

from engine.process.stop_signals import Stop, stop_signals


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """Put the handlers of the test's process back."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_a_terminal_that_closes_stops_a_process_unless_it_was_started_by_nohup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    assert stop_signals() == (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert stop_signals() == (signal.SIGTERM, signal.SIGINT)


async def test_the_first_signal_asks_and_the_second_is_urgent() -> None:
    stop = Stop()
    stop.catch_signals()

    os.kill(os.getpid(), signal.SIGTERM)
    await stop.asked.wait()
    assert not stop.is_urgent.is_set()

    os.kill(os.getpid(), signal.SIGTERM)
    await stop.is_urgent.wait()
    for number in stop_signals():
        asyncio.get_running_loop().remove_signal_handler(number)


async def seconds_of_wait(stop: Stop, seconds: float, task_seconds: float) -> float:
    task = asyncio.create_task(asyncio.sleep(task_seconds))
    began = time.monotonic()
    await stop.wait_for({task}, seconds)
    task.cancel()
    return time.monotonic() - began


async def test_tasks_are_waited_for_until_they_end() -> None:
    assert 0.1 <= await seconds_of_wait(Stop(), 30, 0.1) < 20


async def test_tasks_are_waited_for_up_to_the_time() -> None:
    assert 0.1 <= await seconds_of_wait(Stop(), 0.1, 30) < 20


async def test_an_urgent_stop_cuts_the_wait_short() -> None:
    stop = Stop()
    asyncio.get_running_loop().call_later(0.1, stop.is_urgent.set)

    assert 0.1 <= await seconds_of_wait(stop, 30, 30) < 20


async def test_without_tasks_there_is_no_wait() -> None:
    await Stop().wait_for((), 30)
