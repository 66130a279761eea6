"""Pools that share a zygote have children of their own."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.workers.shared_zygote import PoolOfSharedZygote

pytestmark = pytest.mark.usefixtures("workers_share_a_zygote")


@asynccontextmanager
async def running() -> AsyncIterator[PoolOfSharedZygote]:
    pool = PoolOfSharedZygote(slots=1)
    await pool.start()
    yield pool
    await pool.close()


async def ids(pool: PoolOfSharedZygote) -> tuple[int, int]:
    """Return the process ids of a child and of its zygote."""
    child = await pool.run(os.getpid, deadline_seconds=PATIENCE_SECONDS)
    return child, await pool.run(os.getppid, deadline_seconds=PATIENCE_SECONDS)


async def test_pools_have_one_zygote_and_other_children() -> None:
    async with running() as first:
        child, zygote = await ids(first)
        async with running() as second:
            assert await ids(second) != (child, zygote)
            assert (await ids(second))[1] == zygote
        assert (await ids(first))[1] == zygote


async def test_the_children_of_a_closed_pool_are_gone() -> None:
    async with running() as pool:
        child, _ = await ids(pool)

    await eventually(lambda: is_gone(child))


async def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
