"""Semaphore on bytes: callers wait in order, and no bytes are lost."""

import asyncio

import pytest

from engine.process.byte_semaphore import ByteReservation, ByteSemaphore


async def test_a_caller_that_finds_too_few_bytes_waits_and_others_do_not_overtake() -> None:
    semaphore, order = ByteSemaphore(10), list[str]()

    async def acquire(name: str, size: int) -> None:
        await semaphore.acquire(size, 1)
        order.append(name)

    await semaphore.acquire(8, 1)
    waiting = [asyncio.create_task(acquire("large", 9)), asyncio.create_task(acquire("small", 1))]
    await asyncio.sleep(0)
    assert order == []

    semaphore.release(8)
    await asyncio.gather(*waiting)

    assert (order, semaphore.available) == (["large", "small"], 0)


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_a_caller_that_gives_up_waiting_holds_up_nobody(is_cancelled: bool) -> None:
    semaphore = ByteSemaphore(10)
    await semaphore.acquire(8, 1)
    first = asyncio.create_task(semaphore.acquire(9, 1 if is_cancelled else 0.01))
    second = asyncio.create_task(semaphore.acquire(2, 1))
    await asyncio.sleep(0)

    if is_cancelled:
        first.cancel()
    [gave_up] = await asyncio.gather(first, return_exceptions=True)
    await second

    assert semaphore.available == 0
    assert isinstance(gave_up, asyncio.CancelledError if is_cancelled else TimeoutError)


async def test_a_turn_that_comes_just_as_its_caller_gives_up_is_not_lost() -> None:
    semaphore = ByteSemaphore(10)
    await semaphore.acquire(8, 1)
    waiting = asyncio.create_task(semaphore.acquire(9, 1))
    await asyncio.sleep(0)

    semaphore.release(8)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert semaphore.available == 10


async def test_a_reservation_holds_its_last_size_and_nothing_once_it_is_released() -> None:
    semaphore = ByteSemaphore(10)
    reservation = ByteReservation(semaphore)

    await reservation.acquire(10, 0.01)
    await reservation.acquire(6, 0.01)
    assert semaphore.available == 4

    reservation.resize(12)
    assert semaphore.available == -2

    reservation.release()
    reservation.release()
    assert semaphore.available == 10


async def test_a_reservation_that_gets_no_bytes_in_time_holds_none() -> None:
    semaphore = ByteSemaphore(10)
    reservation = ByteReservation(semaphore)
    await reservation.acquire(4, 0.01)
    await semaphore.acquire(5, 0.01)

    with pytest.raises(TimeoutError):
        await reservation.acquire(6, 0.01)

    reservation.release()
    assert semaphore.available == 5
