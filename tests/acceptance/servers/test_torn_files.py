"""The machine of Redis loses its power: its file ends anywhere behind what is on the disk."""

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.media.objects import ObjectStore
from engine.models.registry import use_models
from engine.store import Account, CompletionNotifier, Store
from engine.store.redis import keyspace
from engine.store.redis.address import RedisAddress
from tests.conftest import RedisServer
from tests.support.acceptance.truncated_redis import (
    Auditor,
    CutRedis,
    Load,
    cut_settings,
    fan,
    line,
    numbering,
)
from tests.support.disks.power_loss import DiskWatch, leave_behind
from tests.support.factories import Runner
from tests.support.manifests import ANSWER, model
from tests.support.redis.installation import SECRET_KEY
from workers.main import worker

TERMS = replace(load().terms(Tier.ENTERPRISE, Role.USER), allowance=1_000_000, allowance_once=True)
TEARS = int(os.environ.get("TEARS", "5"))
AT_ONCE = 4
LOAD_SECONDS = 9.0
PAUSE_SECONDS = 0.1
FIRST_SECONDS = 3.0
"""Time until the account and its workflows are on the disk for sure."""
END_SECONDS = 90.0
LAG_SECONDS = {"everysec": 2.0, "always": 0.0}
Note = Callable[[str, object], None]


@dataclass
class Recorded:
    """Load that has ended: its server's files, and what its callers were told."""

    server: CutRedis
    account: Account
    accepted: dict[str, float]
    began: float
    watch: DiskWatch
    lag: float

    def told_before(self, moment: float) -> set[str]:
        return {name for name, told in self.accepted.items() if told <= moment}


@pytest.fixture(autouse=True)
def own_model() -> Iterator[None]:
    with use_models([model(call=ANSWER)]):
        yield


@contextlib.asynccontextmanager
async def recorded(
    server: CutRedis, folder: Path, target: str, lag: float
) -> AsyncIterator[Recorded]:
    """Load a server for a while, and kill it."""
    settings = cut_settings(server.url, folder, SECRET_KEY)
    watch = DiskWatch(server, lag)
    async with contextlib.AsyncExitStack() as stack:
        store = Store.open(settings, ObjectStore.from_settings(settings))
        stack.push_async_callback(store.close)
        account = await store.accounts.create(email="a@example.com", tier=Tier.ENTERPRISE)
        address = RedisAddress.parse(server.url)
        notifier = await stack.enter_async_context(CompletionNotifier.open(address))
        runner = Runner(store, account, notifier)
        slugs = [await runner.save(graph) for graph in (line(target, 3), fan(target, 3))]
        await stack.enter_async_context(worker(settings))
        began = asyncio.get_running_loop().time()
        callers = Load(runner, slugs, TERMS, pause=PAUSE_SECONDS)
        running = asyncio.create_task(callers.run())
        with watch.all_the_while():
            await asyncio.sleep(LOAD_SECONDS)
        running.cancel()
        server.kill()
    yield Recorded(server, account, callers.accepted, began, watch, lag)


@pytest.mark.F19
@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("appendfsync", ["everysec", "always"])
async def test_a_torn_file_has_whole_runs_and_those_of_before_the_last_moments(
    appendfsync: str, tmp_path: Path, record_property: Note
) -> None:
    draw, lag, server = random.Random(appendfsync), LAG_SECONDS[appendfsync], CutRedis(appendfsync)
    server.begin()
    try:
        async with numbering() as target, recorded(server, tmp_path, target.url, lag) as before:
            turns = asyncio.Semaphore(AT_ONCE)
            tears = (tear(before, turns, draw, tmp_path / f"torn-{n}") for n in range(TEARS))
            found = await asyncio.gather(*tears)
    finally:
        server.stop()

    forgotten, ended = (sum(each) for each in zip(*found, strict=True))
    record_property("torn_files", TEARS)
    record_property("executions", ended)
    record_property("lost", 0)
    record_property(f"forgotten_of_the_last_moments_with_{appendfsync}", forgotten)
    assert ended > TEARS
    assert bool(forgotten) == (appendfsync == "everysec")


async def tear(
    before: Recorded, turns: asyncio.Semaphore, draw: random.Random, folder: Path
) -> tuple[int, int]:
    """Lose power at a random moment; return how many runs are gone, and how many have ended."""
    async with turns:
        loss = before.watch.draw_loss(draw, before.began + FIRST_SECONDS)
        leave_behind(before.server, loss.draw_length(draw), folder)
        missing, ended = await go_on(before, folder)
    assert missing & before.told_before(loss.moment - before.lag) == set()
    return len(missing & before.told_before(loss.moment)), ended


async def go_on(before: Recorded, folder: Path) -> tuple[set[str], int]:
    """Start a server and a worker on a torn file, and check all runs and credits.

    Return the runs that are not on record, and the number of those that are.
    """
    server = RedisServer("--appendonly", "yes")
    await asyncio.to_thread(server.start, folder)
    settings = cut_settings(server.url, folder, SECRET_KEY)
    store = Store.open(settings, ObjectStore.from_settings(settings))
    auditor = Auditor(store, before.account, TERMS)
    try:
        missing = set(before.accepted) - set(await auditor.ids())
        assert await traces(store, before.account, missing) == []
        assert await store.wallets.check(before.account.id) == []
        async with worker(settings):
            return missing, await auditor.check(END_SECONDS)
    finally:
        await store.close()
        server.stop()


async def traces(store: Store, account: Account, names: set[str]) -> list[str]:
    """Return keys and active runs that name one of these executions."""
    keys = [each.decode() for each in await store.client.send("KEYS", "*")]
    active = await store.client.send("SMEMBERS", keyspace.active(account.id))
    known = [*keys, *(each.decode() for each in active)]
    return [each for each in known if any(name in each for name in names)]
