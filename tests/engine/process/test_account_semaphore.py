"""Units that accounts share and take in turns."""

import asyncio

import pytest

from engine.process.account_semaphore import AccountSemaphore
from tests.support.eventually import PATIENCE_SECONDS


class Caller:
    """Calls that hold a slot until they are let go, noted in the order in which they got one."""

    def __init__(self, slots: AccountSemaphore) -> None:
        self.slots = slots
        self.begun: list[str] = []
        self._ends: dict[str, list[asyncio.Event]] = {}

    def call(self, account_id: str) -> "asyncio.Task[None]":
        return asyncio.create_task(self._call(account_id))

    async def _call(self, account_id: str) -> None:
        async with self.slots.slot(account_id):
            self.begun.append(account_id)
            end = asyncio.Event()
            self._ends.setdefault(account_id, []).append(end)
            await end.wait()

    async def end(self, account_id: str) -> None:
        """End the account's first call."""
        self._ends[account_id].pop(0).set()
        await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def stop(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.A91a
async def test_one_account_has_no_more_than_its_share_and_others_begin_at_once() -> None:
    caller = Caller(AccountSemaphore(4, 2))
    tasks = [caller.call(account) for account in "aaaab"]
    await settle()

    assert caller.begun == ["a", "a", "b"]
    await stop(*tasks)


@pytest.mark.A91a
async def test_accounts_that_wait_take_turns() -> None:
    caller = Caller(AccountSemaphore(2, 2))
    tasks = [caller.call(account) for account in "aaaaabb"]
    await settle()

    for _ in range(3):
        await caller.end("a")

    assert caller.begun == ["a", "a", "b", "a", "b"]
    await stop(*tasks)


async def test_a_call_that_gave_up_takes_no_slot() -> None:
    caller = Caller(AccountSemaphore(1, 1))
    first, gone, last = (caller.call(account) for account in "abc")
    await settle()

    gone.cancel()
    await caller.end("a")

    assert caller.begun == ["a", "c"]
    await stop(first, last)


async def test_a_slot_granted_in_the_moment_of_a_cancel_goes_to_the_next() -> None:
    caller = Caller(AccountSemaphore(1, 1))
    first, late = caller.call("a"), caller.call("b")
    await settle()

    caller._ends["a"].pop(0).set()
    await asyncio.sleep(0)  # the first call ends, and grants its slot to the second
    late.cancel()
    last = caller.call("c")
    await settle()

    assert caller.begun[-1] == "c"
    await stop(first, last)


@pytest.mark.A91a
async def test_an_account_takes_no_more_than_its_share() -> None:
    slots = AccountSemaphore(8, 3)

    assert [slots.try_acquire("a") for _ in range(5)] == [True, True, True, False, False]
    assert slots.try_acquire("b")


@pytest.mark.A91a
async def test_all_together_take_no_more_than_there_are() -> None:
    slots = AccountSemaphore(2, 2)

    assert [slots.try_acquire(each) for each in "abc"] == [True, True, False]


async def serve_all(slots: AccountSemaphore, waiting: str) -> str:
    """Let accounts queue for slots, then free slots one by one; return who was served when."""
    served: list[str] = []

    async def use(account_id: str) -> None:
        await slots.acquire(account_id)
        served.append(account_id)

    tasks = [asyncio.create_task(use(each)) for each in waiting]
    await asyncio.sleep(0)
    while len(served) < len(waiting):
        slots.release(served[-1] if served else "x")
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return "".join(served)


@pytest.mark.A91a
async def test_accounts_take_turns_however_many_wait_of_one() -> None:
    slots = AccountSemaphore(1, 1)
    await slots.acquire("x")

    assert await serve_all(slots, "aaaaabbc") == "abcabaaa"


async def test_an_account_that_waits_for_itself_delays_nobody() -> None:
    slots = AccountSemaphore(4, 2)
    for _ in range(2):
        await slots.acquire("a")
    waiting = [asyncio.create_task(slots.acquire("a")) for _ in range(50)]
    await asyncio.sleep(0)

    assert slots.try_acquire("b")
    slots.release("a")
    await asyncio.sleep(0)
    assert [each.done() for each in waiting].count(True) == 1
    for each in waiting:
        each.cancel()


@pytest.mark.parametrize("is_late", [False, True])
async def test_who_stops_waiting_leaves_its_slot_to_others(is_late: bool) -> None:
    slots = AccountSemaphore(1, 1)
    await slots.acquire("a")
    first, second = (asyncio.create_task(slots.acquire(each)) for each in "bc")
    await asyncio.sleep(0)

    if is_late:
        slots.release("a")  # to the first, which is cancelled before it can go on
        first.cancel()
    else:
        first.cancel()
        slots.release("a")

    await second
    slots.release("c")
    assert slots.try_acquire("d")
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_nothing_is_left_of_those_who_have_gone() -> None:
    slots = AccountSemaphore(1, 1)
    await slots.acquire("x")
    await serve_all(slots, "abc")
    slots.release("c")

    assert not (slots._taken or slots._waiting or slots._turns)


# -- bytes ----------------------------------------------------------------------------------------

MOST = 1_000
SHARE = MOST // 4


async def test_a_reservation_is_the_accounts_share_at_most() -> None:
    memory = AccountSemaphore(MOST, SHARE)
    taken = await memory.reserve("a", 2 * SHARE, 0.05)
    with pytest.raises(TimeoutError):
        await memory.reserve("a", 1, 0.05)
    others = [await memory.reserve(name, SHARE, 0.05) for name in ("b", "c", "d")]
    with pytest.raises(TimeoutError):
        await memory.reserve("e", 1, 0.05)

    for each in (taken, *others):
        each.release()
    assert not (memory._taken or memory._waiting or memory._turns)
    assert memory._free == MOST


async def test_who_waits_has_what_another_caller_of_the_account_returns() -> None:
    memory = AccountSemaphore(MOST, SHARE)
    first = await memory.reserve("a", SHARE, 10)
    second = asyncio.create_task(memory.reserve("a", 10, 10))
    await asyncio.sleep(0.01)
    assert not second.done()

    first.resize(SHARE - 10)

    (await second).release()
    first.release()
    assert memory._free == MOST


async def test_a_large_call_is_passed_by_no_small_one_that_comes_later() -> None:
    memory = AccountSemaphore(MOST, MOST)
    first = await memory.reserve("a", MOST - 10, 10)
    order: list[str] = []

    async def reserve(account_id: str, size: int) -> None:
        reservation = await memory.reserve(account_id, size, 10)
        order.append(f"{account_id} {size}")
        reservation.release()

    tasks = [asyncio.create_task(reserve(*each)) for each in (("b", 500), ("b", 5), ("c", 5))]
    await asyncio.sleep(0)
    assert order == []

    first.release()
    await asyncio.gather(*tasks)
    assert order[0] == "b 500"


async def test_a_small_call_goes_on_when_the_large_one_before_it_gives_up() -> None:
    memory = AccountSemaphore(MOST, SHARE)
    first = await memory.reserve("a", SHARE - 10, 10)
    large = asyncio.create_task(memory.reserve("a", 20, 10))
    small = asyncio.create_task(memory.reserve("a", 10, 10))
    await asyncio.sleep(0)

    large.cancel()

    await asyncio.wait_for(small, PATIENCE_SECONDS)
    first.release()


async def test_an_account_whose_reservation_has_grown_waits_though_its_turn_had_come() -> None:
    memory = AccountSemaphore(MOST, SHARE)
    grown = await memory.reserve("a", 10, 10)
    others = [await memory.reserve(each, SHARE, 10) for each in "bcd"]
    await memory.reserve("f", SHARE - 50, 10)
    waiting = asyncio.create_task(memory.reserve("a", SHARE - 10, 10))
    later = asyncio.create_task(memory.reserve("e", SHARE, 10))
    await asyncio.sleep(0)

    grown.resize(SHARE)
    for each in others[:2]:
        each.release()
    await asyncio.wait_for(later, PATIENCE_SECONDS)
    assert not waiting.done()

    grown.release()
    await asyncio.wait_for(waiting, PATIENCE_SECONDS)
