"""One session of the monkey: parts, users, faults, and the judgement."""

import asyncio
import contextlib
import functools
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from pathlib import Path

from engine.access.capabilities import Tier
from engine.access.tiers import load as load_tiers
from engine.history.database.connections import Database
from engine.history.migrations.migrate import migrate
from engine.history.reading.archive import open_archive
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis.installation import SCHEMA
from tests.support.acceptance.footprint import Footprint, Trace, descendants
from tests.support.acceptance.versions.processes import (
    GATEWAY,
    WORKER,
    is_fault,
    run_command,
    version_fleet,
)
from tests.support.acceptance.versions.releases import THIS_RELEASE, Release
from tests.support.acceptance.versions.trial import DATABASE, GIVEN, environment_of
from tests.support.eventually import eventually
from tests.support.history.away import taken_away
from tests.support.http.scripted_server import Target, serving
from tests.support.http.webhook_receivers import Receiver, receiving
from tests.support.redis.fronts import DelayProxy
from tests.support.redis.installation import SECRET_KEY
from tests.support.redis.sentinel import SentinelGroup
from tests.support.redis.stepped_clock import SteppedClock
from tests.support.soak.differences import OTHER, Differences
from tests.support.soak.faults import FAULTS
from tests.support.soak.monkey import Monkey
from tests.support.soak.oracle import Oracle
from tests.support.soak.plan import Turn
from tests.support.soak.users import ODD, Place, User

GATEWAYS, WORKERS = 2, 3
RIGHTS = ("workflow:*", "webhook:receive", "execution:approve")
LOOK_SECONDS = 10.0
DOWN_AFTER_MS = 3_000
"""Silence of a primary after which sentinels fail over; a busy machine must not reach it."""
FORGET_AFTER_SECONDS = 300.0
"""Length of a session from which on Redis must have forgotten its runs at the end."""
UPGRADE_SECONDS = 600.0
"""Longest until former processes count no more, and the schema is raised."""


@dataclass
class Session:
    """Parts of an installation, its users, and a monkey."""

    monkey: Monkey
    store: Store
    account: Account
    users: list[User]
    place: Place
    target: Target
    receiver: Receiver
    footprint: Footprint = field(default_factory=lambda: Footprint([]))
    seconds: float = 0.0

    @property
    def differences(self) -> Differences:
        return self.monkey.differences

    async def run(self, turns: list[Turn], seconds: float) -> Oracle:
        """Let users work for a time while faults come; return what the oracle found."""
        await self.users[0].settle_in()
        self.differences.begin()
        watching = asyncio.gather(self._watch(), self.monkey.watch_primary())
        upgrading = asyncio.create_task(self._upgrade(seconds / 2))
        living = [asyncio.create_task(user.live()) for user in self.users]
        await self.monkey.play(FAULTS, turns, seconds)
        self.place.is_over = True
        await asyncio.gather(*living)
        print("the load is over", flush=True)
        await upgrading
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        self.seconds = time.monotonic() - self.differences.began
        return await self._judge()

    async def _upgrade(self, after: float) -> None:
        """End the time of the previous release: raise the schema, so that all features are used."""
        if self.monkey.previous is not None:
            await asyncio.sleep(after)
            self.monkey.previous = None
            await eventually(self._raise_schema, timeout=UPGRADE_SECONDS, pause=1.0)
            print("the schema is raised", flush=True)
        self.place.has_releases = True

    async def _raise_schema(self) -> bool:
        environ = self.monkey.fleet.environ
        # It names former processes and exits with 1, and may wait for a Redis that fails over.
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            answer = await asyncio.to_thread(run_command, THIS_RELEASE, environ, "migrate")
            return bool(answer["schemaVersion"] == SCHEMA)
        return False

    async def _watch(self) -> None:
        known: set[int] = set()
        while True:
            for each in self.monkey.veterans:
                for pid, name in [(each.pid, each.kind), *descendants(each.pid)]:
                    if pid not in known:
                        known.add(pid)
                        name = each.kind if pid == each.pid else f"{each.kind} child {name[-40:]}"
                        self.footprint.traces.append(Trace(name, pid))
            self.footprint.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def _judge(self) -> Oracle:
        fleet, user = self.monkey.fleet, self.users[0]
        for name in self.place.trigger_ids.values():
            status, answer = await user.ask("PATCH", f"/api/triggers/{name}", {"enabled": False})
            assert status == 200, answer
        oracle = Oracle(self.differences, self.place, self.users, self.monkey.times)
        primary = await self.monkey.primary()
        redis_url = f"redis://127.0.0.1:{primary.port}"
        checks: list[Awaitable[None]] = [
            oracle.check_leftovers(redis_url),
            oracle.check_records([each.url for each in fleet.gateways]),
            oracle.check_occurrences(),
            oracle.check_calls(self.target),
            oracle.check_webhooks(self.receiver, fleet.deaths),
            oracle.check_money(self.store, self.account, GIVEN),
            oracle.check_history(fleet.environ[DATABASE], self.account),
            oracle.check_forgotten(redis_url, is_long=self.seconds > FORGET_AFTER_SECONDS),
            self._check_logs(oracle),
        ]
        for check in checks:
            try:
                await check
            except ODD as error:
                self.differences.note(OTHER, "oracle", f"a check broke off: {error!r}")
        return oracle

    async def _check_logs(self, oracle: Oracle) -> None:
        await asyncio.to_thread(self.monkey.fleet.stop)
        oracle.check_logs(self.monkey.fleet.lines(is_fault))


@contextlib.asynccontextmanager
async def session(
    folder: Path, *, seed: int, users: int, previous: Release | None = None
) -> AsyncIterator[Session]:
    """Start Redis with sentinels, PostgreSQL, gateways, workers and users without work.

    With a previous release, the store has its schema until half of the session is over.
    """
    async with contextlib.AsyncExitStack() as stack:
        clock = SteppedClock(make_folder(folder / "redis-clock"))
        group = await asyncio.to_thread(_start_group, clock)
        stack.push_async_callback(asyncio.to_thread, group.stop)
        database = stack.enter_context(taken_away("postgresql", folder))
        environ = environment_of(group.address(), folder) | {DATABASE: database.url}
        environ |= {"HEADRACE_HOT_MINUTES": "1", "HEADRACE_LEASE_SECONDS": "3"}
        fleet = stack.enter_context(version_fleet(folder, environ))
        await asyncio.to_thread(run_command, previous or THIS_RELEASE, environ, "init")
        with contextlib.closing(Database(database.url)) as tables:
            await asyncio.to_thread(migrate, tables)  # without raising the store's schema
        target = await stack.enter_async_context(serving())
        receiver = await stack.enter_async_context(receiving())
        settings = Settings(
            redis_url=group.address(), secret_key=SECRET_KEY, database_url=database.url,
            allow_private_urls=True,
        )  # fmt: skip
        store = Store.open(settings, ObjectStore.from_settings(settings), open_archive(settings))
        stack.push_async_callback(store.close)
        account, key = await _open_account(store, f"{receiver.url}/ok")
        part_clock = SteppedClock(make_folder(folder / "part-clock"))
        monkey = Monkey(
            fleet, group, Differences(), database, receiver, clock, part_clock, previous
        )  # fmt: skip
        for kind, count in ((GATEWAY, GATEWAYS), (WORKER, WORKERS)):
            members = [fleet.add(THIS_RELEASE, kind) for _ in range(count - 1)]
            members.append(fleet.add(THIS_RELEASE, kind, **part_clock.cached_environ))
            monkey.veterans.append(members[0])
            for member in members:
                await asyncio.to_thread(member.wait_ready)
        place = Place(monkey.differences)
        urls = functools.partial(_urls, monkey)
        people = [User(place, n, seed, urls, key, target.url) for n in range(users)]
        for each in people:
            stack.push_async_callback(each.close)
        yield Session(monkey, store, account, people, place, target, receiver)


def make_folder(path: Path) -> Path:
    path.mkdir()
    return path


def _urls(monkey: Monkey) -> list[str]:
    return [each.url for each in monkey.fleet.gateways]


def _start_group(clock: SteppedClock) -> SentinelGroup:
    group = SentinelGroup(
        fronts=DelayProxy, is_marked=False, min_replicas=1, down_after_ms=DOWN_AFTER_MS
    )
    for server in group.servers:
        server.environ = clock.environ
    group.start()
    return group


async def _open_account(store: Store, webhook_url: str) -> tuple[Account, str]:
    """Create an account with credits, and a key whose runs are told; return both."""
    account = await store.accounts.create(email="ada@localhost", tier=Tier.ENTERPRISE)
    api_key, secret = await store.api_keys.create(account, name="k", capabilities=list(RIGHTS))
    await store.webhooks.save(account.id, api_key.id, url=webhook_url)
    terms = load_tiers().terms(account.tier, account.role)
    await store.wallets.top_up(account.id, terms, GIVEN)
    return account, secret
