"""Slots that accounts take in turns."""

import asyncio

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

    assert caller.begun == ["a", "a", "a", "b", "a"]
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
