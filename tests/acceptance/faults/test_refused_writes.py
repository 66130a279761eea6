"""A whole stack under load while Redis refuses writes, and while primary and replica change."""

import asyncio
import contextlib
import functools
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from engine.access.tiers import load
from engine.errors import Unavailable
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from tests.conftest import RedisServer
from tests.support.acceptance.random_spending import Caller, Spender, check_books, open_spenders
from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.eventually import eventually
from tests.support.http.scripted_server import serving
from tests.support.redis.failover import running_pair
from tests.support.redis.installation import SECRET_KEY
from tests.support.redis.refused_writes import refuse_again_and_again

CALLERS = 8
"""Credits of each account."""
TIERS = '[pro]\nruns_per_minute = "unlimited"\nexecutions_at_once = "unlimited"\n'


@contextlib.asynccontextmanager
async def stack_on(redis_url: str, folder: Path) -> AsyncIterator[RunningStack]:
    """Start a stack over a Redis that this event loop may serve itself."""
    tiers_file = folder / "tiers.toml"
    tiers_file.write_text(TIERS)
    environ = {
        "HEADRACE_REDIS_URL": redis_url,
        "HEADRACE_TIERS_FILE": str(tiers_file),
        "HEADRACE_ALLOW_PRIVATE_URLS": "1",
        "HEADRACE_SECRET_KEY": SECRET_KEY,  # the installation that the tests' Redis is marked with
    }
    started = running(folder, "--no-demo", "--gateways", "2", "--workers", "2", **environ)
    stack = await asyncio.to_thread(started.__enter__)
    try:
        yield stack
    finally:
        await asyncio.to_thread(started.__exit__, None, None, None)


async def spend_during(
    faults: Callable[[], Awaitable[None]], stack: RunningStack, redis_url: str, folder: Path
) -> Counter[str]:
    """Let accounts spend until the faults are over; return how their runs ended.

    Every accepted run must end, with every credit accounted for.
    """
    store = Store.open(Settings(redis_url=redis_url))
    ends: Counter[str] = Counter()
    async with serving() as target:
        spenders = await open_spenders(store, stack.url, load(str(folder / "tiers.toml")))
        is_over = asyncio.Event()
        turns = itertools.takewhile(lambda _: not is_over.is_set(), itertools.count())
        callers = [
            Caller(spender, target.url, random.Random(f"{spender.account.email} {number}"))
            for spender in spenders
            for number in range(CALLERS)
        ]
        spending = asyncio.gather(*(caller.spend(turns) for caller in callers))
        await faults()
        is_over.set()
        await spending
        for spender in spenders:
            await eventually(functools.partial(is_at_rest, spender), timeout=60)
            ends += await check_books(spender)
    await store.close()
    return ends


async def is_at_rest(spender: Spender) -> bool:
    """Return whether the account has no active execution and no lease is held."""
    store = spender.store
    try:
        active = await store.client.send("SCARD", keyspace.active(spender.account.id))
        workers = await store.leases.workers()
        return not active and not any([await store.leases.held(each) for each in workers])
    except Unavailable:
        return False


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_what_was_accepted_ends_however_often_writes_are_refused(tmp_path: Path) -> None:
    server = RedisServer()
    server.start()
    try:
        async with stack_on(server.url, tmp_path) as stack:
            refuse = functools.partial(refuse_again_and_again, server.url, 6, 4.5)
            ends = await spend_during(refuse, stack, server.url, tmp_path)
    finally:
        server.stop()

    assert min(ends[each] for each in ("completed", "failed", "cancelled")) > 10


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_what_was_accepted_ends_however_often_the_primary_changes(tmp_path: Path) -> None:
    async with running_pair() as pair:
        await pair.follow()

        async def change() -> None:
            for _ in range(8):
                await asyncio.sleep(3)
                await pair.hand_over()

        async with stack_on(pair.proxy.url, tmp_path) as stack:
            ends = await spend_during(change, stack, pair.proxy.url, tmp_path)

    assert min(ends[each] for each in ("completed", "failed", "cancelled")) > 10
