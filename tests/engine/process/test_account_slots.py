"""Slots that accounts take in turns."""

import asyncio

import pytest

from engine.process.account_slots import AccountSlots


class Caller:
    """Calls that hold a slot until they are let go, noted in the order in which they got one."""

    def __init__(self, slots: AccountSlots) -> None:
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


async def test_one_account_has_no_more_than_its_share_and_others_begin_at_once() -> None:
    caller = Caller(AccountSlots(4, 2))
    tasks = [caller.call(account) for account in "aaaab"]
    await settle()

    assert caller.begun == ["a", "a", "b"]
    await stop(*tasks)


async def test_accounts_that_wait_take_turns() -> None:
    caller = Caller(AccountSlots(2, 2))
    tasks = [caller.call(account) for account in "aaaaabb"]
    await settle()

    for _ in range(3):
        await caller.end("a")

    assert caller.begun == ["a", "a", "b", "a", "b"]
    await stop(*tasks)


async def test_a_call_that_gave_up_takes_no_slot() -> None:
    caller = Caller(AccountSlots(1, 1))
    first, gone, last = (caller.call(account) for account in "abc")
    await settle()

    gone.cancel()
    await caller.end("a")

    assert caller.begun == ["a", "c"]
    await stop(first, last)


async def test_a_slot_granted_in_the_moment_of_a_cancel_goes_to_the_next() -> None:
    caller = Caller(AccountSlots(1, 1))
    first, late = caller.call("a"), caller.call("b")
    await settle()

    caller._ends["a"].pop(0).set()
    await asyncio.sleep(0)  # the first call ends, and grants its slot to the second
    late.cancel()
    last = caller.call("c")
    await settle()

    assert caller.begun[-1] == "c"
    await stop(first, last)


async def test_an_account_takes_no_more_than_its_share() -> None:
    slots = AccountSlots(8, 3)

    assert [slots.try_acquire("a") for _ in range(5)] == [True, True, True, False, False]
    assert slots.try_acquire("b")


async def test_all_together_take_no_more_than_there_are() -> None:
    slots = AccountSlots(2, 2)

    assert [slots.try_acquire(each) for each in "abc"] == [True, True, False]


async def serve_all(slots: AccountSlots, waiting: str) -> str:
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


async def test_accounts_take_turns_however_many_wait_of_one() -> None:
    slots = AccountSlots(1, 1)
    await slots.acquire("x")

    assert await serve_all(slots, "aaaaabbc") == "abcabaaa"


async def test_an_account_that_waits_for_itself_delays_nobody() -> None:
    slots = AccountSlots(4, 2)
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
    slots = AccountSlots(1, 1)
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
    slots = AccountSlots(1, 1)
    await slots.acquire("x")
    await serve_all(slots, "abc")
    slots.release("c")

    assert not (slots._taken or slots._waiting or slots._turns)
