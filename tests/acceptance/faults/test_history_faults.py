"""The history under faults and load: nothing is lost, and nothing is in it twice.

Redis forgets what ended five seconds ago, so that it forgets under each fault. Callers, Redis and
the database are compared afterwards.
"""

import asyncio
import contextlib
import functools
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.net.http_client import call
from engine.access.tiers import load
from engine.history.database.connections import Database
from engine.history.reading.archive import open_archive
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from tests.support.acceptance.history_oracle import check_history
from tests.support.acceptance.random_spending import Caller, Spender, open_spenders
from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.disks.full_disk import full_disk
from tests.support.eventually import eventually
from tests.support.history.away import TakenAway, taken_away
from tests.support.http.scripted_server import serving
from workers.runtime.store_retries import retry_until_answered

CALLERS = 3
"""Callers of each account."""
AWAY_SECONDS = 60.0
CATCH_UP_SECONDS = 300.0
PAUSE_SECONDS = 0.5
FULL_BYTES = 4_096
"""Size beyond which no file grows on a full disk: less than any file of the history has."""
TIERS = '[pro]\nruns_per_minute = "unlimited"\nexecutions_at_once = "unlimited"\n'
KINDS = ("sqlite", "postgresql")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass
class Loaded:
    """Stack with callers that run without a pause."""

    stack: RunningStack
    database: TakenAway
    spenders: list[Spender]

    @property
    def runs(self) -> int:
        """Return the number of accepted runs."""
        return sum(len(each.runs) for each in self.spenders)

    def is_degraded(self) -> bool:
        """Return whether the stack says that its history is incomplete."""
        status, answer = call("GET", self.stack.url + "/readyz")
        return status == 200 and "history" in answer.get("degraded", [])

    def archivers(self) -> list[int]:
        """Return the processes of archivers, those that wait for a lead included."""
        found = self.stack.processes().items()
        names = ("headrace archiver", "workers.history.main")
        return [pid for pid, line in found if any(name in line for name in names)]

    async def more(self, runs: int) -> None:
        """Wait until so many more runs are accepted."""
        wanted = self.runs + runs
        await eventually(lambda: self._count(), lambda count: count >= wanted, timeout=300)

    async def _count(self) -> int:
        return self.runs


@asynccontextmanager
async def loaded(kind: str, folder: Path) -> AsyncIterator[Loaded]:
    """Run a stack under load; at the end compare callers, Redis and the database."""
    tiers_file = folder / "tiers.toml"
    tiers_file.write_text(TIERS)
    with taken_away(kind, folder) as database:
        environ = {
            "HEADRACE_ALLOW_PRIVATE_URLS": "1",
            "HEADRACE_DATABASE_URL": database.url,
            "HEADRACE_HOT_MINUTES": "0",
            "HEADRACE_TIERS_FILE": str(tiers_file),
        }
        with running(folder, "--no-demo", "--gateways", "2", "--workers", "2", **environ) as stack:
            settings = Settings(redis_url=stack.redis_url, database_url=database.url)
            store = Store.open(
                settings, ObjectStore.from_settings(settings), open_archive(settings)
            )
            async with serving() as target:
                spenders = await open_spenders(store, stack.url, load(str(tiers_file)))
                stopped = asyncio.Event()
                calling = [
                    asyncio.create_task(
                        Caller(each, target.url, random.Random(f"{kind} {number}")).spend(
                            turns(stopped)
                        )
                    )
                    for each in spenders
                    for number in range(CALLERS)
                ]
                began = time.monotonic()
                yield Loaded(stack, database, spenders)
                stopped.set()
                await asyncio.gather(*calling)
                seconds = time.monotonic() - began
                await compare(spenders, Database(database.url), seconds)
            await store.close()


def turns(stopped: asyncio.Event) -> Iterator[int]:
    """Yield a turn for each run until the event."""
    number = 0
    while not stopped.is_set():
        yield number
        number += 1


async def compare(spenders: list[Spender], database: Database, seconds: float) -> None:
    """Wait until Redis has forgotten all runs; compare callers, Redis and the database."""
    ends: Counter[str] = Counter()
    began = time.monotonic()
    for spender in spenders:
        for key in (keyspace.active, keyspace.account_executions):
            left = functools.partial(size, spender, key(spender.account.id))
            await eventually(
                left, lambda count: count == 0, timeout=CATCH_UP_SECONDS, pause=PAUSE_SECONDS
            )
        ends += await check_history(spender, database)
    total = sum(len(spender.runs) for spender in spenders)
    statuses = sum((spender.statuses for spender in spenders), Counter[int]())
    print(
        f"{total} runs in {seconds:.0f} s, in the database alone {time.monotonic() - began:.0f} s "
        f"later: {dict(ends)}, answers {dict(statuses)}"
    )
    database.close()


async def size(spender: Spender, key: str) -> int:
    """Return the size of a set or sorted set."""
    client = spender.store.client
    is_set = await retry_until_answered(lambda: client.send("TYPE", key), "read a type") == b"set"
    command = "SCARD" if is_set else "ZCARD"
    return int(await retry_until_answered(lambda: client.send(command, key), "read a size"))


@pytest.mark.F60
@pytest.mark.parametrize("kind", KINDS)
async def test_a_database_that_is_away_for_a_minute_costs_nothing(
    kind: str, tmp_path: Path
) -> None:
    async with loaded(kind, tmp_path) as under_load:
        await under_load.more(100)
        await asyncio.to_thread(under_load.database.take_away)
        began = time.monotonic()
        await eventually(lambda: asyncio.to_thread(under_load.is_degraded))
        before = under_load.runs
        await asyncio.sleep(AWAY_SECONDS - (time.monotonic() - began))
        assert under_load.runs > before
        await asyncio.to_thread(under_load.database.give_back)
        await under_load.more(100)


@pytest.mark.F60
async def test_a_disk_that_takes_no_more_of_the_history_costs_nothing(tmp_path: Path) -> None:
    async with loaded("sqlite", tmp_path) as under_load:
        await under_load.more(60)
        with contextlib.ExitStack() as full:
            for pid in under_load.archivers():
                full.enter_context(full_disk(pid, FULL_BYTES))
            await eventually(lambda: asyncio.to_thread(under_load.is_degraded))
            await under_load.more(60)
        await under_load.more(60)


@pytest.mark.parametrize("kind", KINDS)
async def test_parts_that_are_killed_under_load_lose_and_double_nothing(
    kind: str, tmp_path: Path
) -> None:
    draw = random.Random(kind)
    async with loaded(kind, tmp_path) as under_load:
        stack = under_load.stack
        await eventually(lambda: asyncio.to_thread(under_load.archivers))
        for part in ("archiver", "redis", "archiver", "gateway", "archiver", "worker") * 3:
            await under_load.more(60)
            await asyncio.sleep(draw.random())
            found = under_load.archivers() if part == "archiver" else stack.part(part)[:1]
            for pid in found:
                os.kill(pid, signal.SIGKILL)
        await under_load.more(60)
