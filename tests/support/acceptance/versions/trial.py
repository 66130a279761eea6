"""A Redis, processes of two releases on it, callers, and the oracle at the end."""

import asyncio
import contextlib
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path

from engine.access.capabilities import Tier
from engine.access.tiers import load as load_tiers
from engine.history.database.connections import Database
from engine.history.migrations.migrate import migrate
from engine.settings import Settings
from engine.store import Account, Store
from tests.conftest import RedisServer
from tests.support.acceptance.versions import oracle
from tests.support.acceptance.versions.load import VersionLoad
from tests.support.acceptance.versions.processes import (
    GATEWAY,
    WORKER,
    Member,
    VersionFleet,
    is_fault,
    is_left,
    run_command,
    version_fleet,
)
from tests.support.acceptance.versions.releases import THIS_RELEASE, Release
from tests.support.eventually import eventually
from tests.support.http.scripted_server import Target, serving
from tests.support.http.webhook_receivers import Receiver, receiving
from tests.support.redis.installation import SECRET_KEY

DATABASE = "HEADRACE_DATABASE_URL"
GIVEN = 1_000_000
"""Credits of the account at the beginning."""


class VersionTrial:
    """Processes of two releases under load."""

    def __init__(
        self,
        fleet: VersionFleet,
        store: Store,
        account: Account,
        load: VersionLoad,
        target: Target,
        receiver: Receiver,
        redis_url: str,
    ) -> None:
        self.fleet = fleet
        self.load = load
        self._store = store
        self.account = account
        self._target = target
        self._receiver = receiver
        self.redis_url = redis_url
        self._stack = contextlib.AsyncExitStack()
        self._rng = random.Random(7)

    async def start(self, *parts: tuple[Release, str]) -> None:
        """Start processes, and wait until the gateways among them serve."""
        members = [self.fleet.add(release, kind) for release, kind in parts]
        for member in members:
            await asyncio.to_thread(member.wait_ready)

    async def play(self, callers: int, harm: Awaitable[None]) -> Counter[str]:
        """Make runs until the harm is over; check all of them, and return their ends."""
        await self.load.begin()
        await self.load.go_on(callers, harm)
        return await self._check()

    async def kill_one(self, members: Sequence[Member] | None = None) -> None:
        """Kill a random process, which starts again."""
        member = self._rng.choice(members or self.fleet.members)
        await asyncio.to_thread(self.fleet.kill, member)
        await asyncio.to_thread(member.wait_ready)

    async def replace(self, old: Member, release: Release) -> None:
        """Start a process of a release, and end another, in order or by a kill."""
        new = self.fleet.add(release, old.kind)
        await asyncio.to_thread(new.wait_ready)
        number = self._rng.choice([signal.SIGTERM, signal.SIGKILL])
        await asyncio.to_thread(self.fleet.remove, old, number)

    async def roll(self, release: Release, *, pause: float, kills: int) -> None:
        """Replace all processes by those of a release, one after another, with kills between."""
        others = [each for each in self.fleet.members if each.release is not release]
        self._rng.shuffle(others)
        for old in others:
            await self.replace(old, release)
            for _ in range(kills):
                await asyncio.sleep(pause * self._rng.random())
                await self.kill_one()
            await asyncio.sleep(pause)

    async def add_account(self, email: str) -> VersionLoad:
        """Return callers of another account."""
        _, key = await open_account(self._store, email, f"{self._receiver.url}/ok")
        load = VersionLoad(lambda: [m.url for m in self.fleet.gateways], key, self._target.url)
        self._stack.push_async_callback(load.close)
        return load

    async def save_model(self, name: str, manifest: str) -> None:
        """Save a manifest in the store."""
        await self._store.models.create(name, manifest, self.account.id)

    async def close(self) -> None:
        """Close the callers of other accounts."""
        await self._stack.aclose()

    async def told(self, execution_id: str) -> str:
        """Return the event of the webhook about an execution, once it has come."""

        async def find() -> list[str]:
            events = [each.event for each in self._receiver.received]
            return [each["event"] for each in events if each["executionId"] == execution_id]

        return (await eventually(find))[0]

    async def spent(self) -> tuple[int, int]:
        """Return the credits that are gone, and those that are reserved."""
        return await oracle.spent_and_reserved(self._store, self.account, GIVEN)

    async def _check(self) -> Counter[str]:
        runs, fleet = self.load.runs, self.fleet
        for release in {member.release.name: member.release for member in fleet.members}.values():
            if not any(each.release is release for each in fleet.gateways):
                await self.start((release, GATEWAY))
        ends = await oracle.check_ends(self.load, [each.url for each in fleet.gateways])
        await oracle.check_webhooks(runs, self._receiver, deaths=fleet.deaths)
        await oracle.check_leftovers(self.redis_url)
        await oracle.check_money(self._store, self.account, runs, GIVEN)
        if url := fleet.environ.get(DATABASE):
            await oracle.check_history(url, self.account, runs)
        oracle.check_calls(runs, self._target, fleet.kills + fleet.stops)
        await asyncio.to_thread(fleet.stop)
        assert fleet.lines(is_fault) == []
        assert fleet.lines(is_left) == [], "a worker must know all runs of the release beside it"
        return ends


def environment_of(redis_url: str, folder: Path) -> dict[str, str]:
    """Return variables of all processes of a trial."""
    return {
        "HEADRACE_REDIS_URL": redis_url,
        "HEADRACE_SECRET_KEY": SECRET_KEY,
        "HEADRACE_MEDIA_URL": (folder / "media").as_uri(),
        "HEADRACE_MEDIA_FREE_BYTES": "0",
        "HEADRACE_ALLOW_PRIVATE_URLS": "1",
        "HEADRACE_CPU_SLOTS": "1",
        "HEADRACE_DRAIN_SECONDS": "2",
        "HEADRACE_WEBHOOK_TIME_SCALE": "0.02",
    }


@contextlib.asynccontextmanager
async def version_trial(
    folder: Path, first: Release, *, has_history: bool = False
) -> AsyncIterator[VersionTrial]:
    """Yield a trial on a Redis that `first` has marked, with an account and a key.

    With a history, all processes share a database that `first` has made, with the tables of this
    release, as in an upgrade.
    """
    async with contextlib.AsyncExitStack() as stack:
        server = RedisServer(is_marked=False)
        stack.callback(server.stop)
        server.start()
        environ = environment_of(server.url, folder)
        if has_history:
            environ[DATABASE] = f"sqlite:///{folder}/history.db"
        fleet = stack.enter_context(version_fleet(folder, environ))
        target = await stack.enter_async_context(serving())
        receiver = await stack.enter_async_context(receiving())
        await asyncio.to_thread(run_command, first, environ, "init")
        if has_history:
            await asyncio.to_thread(run_command, first, environ, "migrate")
            with contextlib.closing(Database(environ[DATABASE])) as database:
                await asyncio.to_thread(migrate, database)  # without raising the store's schema
        settings = Settings(redis_url=server.url, secret_key=SECRET_KEY, allow_private_urls=True)
        store = Store.open(settings)
        stack.push_async_callback(store.close)
        account, key = await open_account(store, "ada@localhost", f"{receiver.url}/ok")
        load = VersionLoad(lambda: [each.url for each in fleet.gateways], key, target.url)
        stack.push_async_callback(load.close)
        trial = VersionTrial(fleet, store, account, load, target, receiver, server.url)
        stack.push_async_callback(trial.close)
        yield trial


async def open_account(store: Store, email: str, webhook_url: str) -> tuple[Account, str]:
    """Create an account with credits, and a key whose runs are told; return both."""
    account = await store.accounts.create(email=email, tier=Tier.ENTERPRISE)
    rights = ["workflow:*", "webhook:receive"]
    api_key, secret = await store.api_keys.create(account, name="k", capabilities=rights)
    await store.webhooks.save(account.id, api_key.id, url=webhook_url)
    terms = load_tiers().terms(account.tier, account.role)
    await store.wallets.top_up(account.id, terms, GIVEN)
    return account, secret


def mixed(first: Release, second: Release) -> list[tuple[Release, str]]:
    """Return a gateway and a worker of each release, those of the first one before."""
    return [(release, kind) for release in (first, second) for kind in (GATEWAY, WORKER)]


__all__ = ["GATEWAY", "THIS_RELEASE", "WORKER", "VersionTrial", "mixed", "version_trial"]
