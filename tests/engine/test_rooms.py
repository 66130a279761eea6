"""Room for what is large: who finds too little waits for it, in turn."""

import asyncio

import pytest

from engine.room import Room


async def test_who_finds_no_room_waits_and_others_do_not_overtake() -> None:
    room, order = Room(10), list[str]()

    async def take(name: str, size: int) -> None:
        await room.take(size, 1)
        order.append(name)

    await room.take(8, 1)
    waiting = [asyncio.create_task(take("large", 9)), asyncio.create_task(take("small", 1))]
    await asyncio.sleep(0)
    assert order == []

    room.give(8)
    await asyncio.gather(*waiting)

    assert (order, room.left) == (["large", "small"], 0)


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_who_gives_up_waiting_holds_up_nobody(is_cancelled: bool) -> None:
    room = Room(10)
    await room.take(8, 1)
    first = asyncio.create_task(room.take(9, 1 if is_cancelled else 0.01))
    second = asyncio.create_task(room.take(2, 1))
    await asyncio.sleep(0)

    if is_cancelled:
        first.cancel()
    [gave_up] = await asyncio.gather(first, return_exceptions=True)
    await second

    assert room.left == 0
    assert isinstance(gave_up, asyncio.CancelledError if is_cancelled else TimeoutError)


async def test_a_turn_that_comes_just_as_it_is_given_up_is_not_lost() -> None:
    room = Room(10)
    await room.take(8, 1)
    waiting = asyncio.create_task(room.take(9, 1))
    await asyncio.sleep(0)

    room.give(8)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert room.left == 10
