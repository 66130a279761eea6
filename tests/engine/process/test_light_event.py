"""An event without memory for waiters before there are any."""

import asyncio

import pytest

from engine.process.light_event import LightEvent


async def test_all_waiters_go_on_once_it_is_set() -> None:
    event = LightEvent()
    waiting = [asyncio.ensure_future(event.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in waiting)
    event.set()
    await asyncio.gather(*waiting)


async def test_nobody_waits_while_it_is_set_and_everybody_does_after_clear() -> None:
    event = LightEvent(is_set=True)
    await event.wait()
    event.clear()
    assert not event.is_set()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(event.wait(), 0)


async def test_the_end_of_one_waiter_does_not_concern_another() -> None:
    event = LightEvent()

    async def wait() -> None:
        await event.wait()

    first, second = asyncio.create_task(wait()), asyncio.create_task(wait())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    event.set()
    await second
    assert first.cancelled()


async def test_waiters_that_left_are_forgotten_by_the_next_one() -> None:
    event = LightEvent()
    for _ in range(5):
        event.wait().cancel()
    event.wait()
    assert len(event._waiters) == 1
