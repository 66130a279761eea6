"""Bytes of a process that accounts share."""

import asyncio

import pytest

from engine.process.account_bytes import SHARES, AccountBytes

MOST = 1_000
SHARE = MOST // SHARES


async def test_an_account_takes_its_share_at_most() -> None:
    memory = AccountBytes(MOST)
    taken = await memory.reserve("a", 2 * SHARE, 0.05)
    with pytest.raises(TimeoutError):
        await memory.reserve("a", 1, 0.05)
    others = [await memory.reserve(name, SHARE, 0.05) for name in ("b", "c", "d")]
    with pytest.raises(TimeoutError):
        await memory.reserve("e", 1, 0.05)

    for each in (taken, *others):
        each.release()
    assert (len(memory._shares), len(memory._users), memory._all.available) == (0, 0, MOST)


async def test_who_waits_has_what_another_caller_of_the_account_returns() -> None:
    memory = AccountBytes(MOST)
    first = await memory.reserve("a", SHARE, 10)
    second = asyncio.create_task(memory.reserve("a", 10, 10))
    await asyncio.sleep(0.01)
    assert not second.done()

    first.resize(SHARE - 10)

    (await second).release()
    first.release()
    assert memory._all.available == MOST
