"""Trial of failovers: primaries are killed under load, one after the other."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from redis.crc import key_slot

from engine.access.tiers import load as load_tiers
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.eventually import eventually
from tests.support.failover.load import Load, Probe, open_accounts, save_tiny
from tests.support.failover.oracle import Verdict, judge
from tests.support.failover.servers import Servers
from tests.support.http.scripted_server import Target, serving
from tests.support.redis.certificates import Certificates
from tests.support.redis.installation import SECRET_KEY
from tests.support.redis.processes import ServerProcess

TIERS = '[enterprise]\nruns_per_minute = "unlimited"\nexecutions_at_once = "unlimited"\n'
AGAIN_SECONDS = 60.0
"""Bound of the time until runs are accepted again; reached only when they never are."""
CALM_SECONDS = 1.0
CALLERS = 4
PROBE_SECONDS = 0.05
EXPECTED = frozenset({"200", "202", "204", "404", "409", "503"})


@dataclass(kw_only=True)
class Outcome:
    """Figures of a trial; times are in seconds from a kill."""

    accepted_again: list[float] = field(default_factory=list)
    """On the shard whose primary was killed."""
    answered_again: list[float] = field(default_factory=list)
    """Until a synchronous run, sent after the kill, was answered on any shard."""
    kills: list[float] = field(default_factory=list)
    """Moments of the monotonic clock."""
    statuses: Counter[str] = field(default_factory=Counter)
    verdict: Verdict = field(default_factory=Verdict)
    seconds: float = 0.0

    def unexpected(self) -> set[str]:
        """Return statuses and codes that no caller may see.

        A stream of events may break off: its caller asks for the rest.
        """
        return {
            each
            for each in self.statuses
            if each.split()[0] not in EXPECTED and each != "0 STREAM_BROKE_OFF"
        }


@dataclass(kw_only=True)
class Scene:
    """A stack under load on servers that a trial disturbs."""

    servers: Servers
    stack: RunningStack
    store: Store
    load: Load
    probes: list[Probe]
    """One for each shard."""
    target: Target
    outcome: Outcome = field(default_factory=Outcome)

    async def pause_and_bring_back(self, shard: int) -> None:
        """Pause the primary of a shard until another has its place, then let it go on.

        It answers what has reached it until it hears of the other, so that its return counts as
        a kill: what it accepts then is lost.
        """
        primary = await asyncio.to_thread(self.servers.primary, shard)
        began = time.monotonic()
        self.outcome.kills.append(began)
        primary.pause()
        await asyncio.to_thread(self.servers.await_failover, primary)
        await self.await_service(began, shard)
        self.outcome.kills.append(time.monotonic())
        primary.resume()
        await asyncio.to_thread(self.servers.restart, primary)
        await asyncio.sleep(CALM_SECONDS)

    async def await_service(self, moment: float, shard: int) -> None:
        """Wait until runs are accepted and answered that were sent after a moment."""
        accepted = await _reached(lambda: self.probes[shard].accepted_after(moment))
        self.outcome.accepted_again.append(accepted - moment)
        answered = await _reached(lambda: self.load.answered_after(moment, "sync", 200))
        self.outcome.answered_again.append(answered - moment)

    async def kill_and_bring_back(self, shard: int) -> None:
        """Kill the primary of a shard, await the new one, and start the old one as its replica.

        The killed server is back before writes are: with one replica per primary and
        `min-replicas-to-write 1`, the new primary refuses writes until then.
        """
        primary = await asyncio.to_thread(self.servers.primary, shard)
        began = time.monotonic()
        self.outcome.kills.append(began)
        primary.kill()
        failover = asyncio.create_task(self._bring_back(primary))
        await self.await_service(began, shard)
        await failover
        await asyncio.sleep(CALM_SECONDS)

    async def _bring_back(self, killed: ServerProcess) -> None:
        await asyncio.to_thread(self.servers.await_failover, killed)
        await asyncio.to_thread(self.servers.restart, killed)


@contextlib.asynccontextmanager
async def scene_on(
    servers: Servers,
    folder: Path,
    *,
    callers: int = CALLERS,
    parts: int = 2,
    pace: float = PROBE_SECONDS,
    certificates: Certificates | None = None,
    **environ: str,
) -> AsyncIterator[Scene]:
    """Run a stack under load on servers while the context lasts.

    `parts`: gateways, and as many workers. `callers`: of each shard, beside its probe, which starts
    a run each `pace` seconds. When the context has ended, the load has too, and the outcome has its
    verdict. With `certificates` the servers are asked over TLS.
    """
    tiers_file = folder / "tiers.toml"
    tiers_file.write_text(TIERS)
    url = servers.address()
    if certificates:
        url = url.replace("redis", "rediss", 1)
        environ |= certificates.environment()
    settings = {
        "HEADRACE_REDIS_URL": url,
        "HEADRACE_SECRET_KEY": SECRET_KEY,
        "HEADRACE_TIERS_FILE": str(tiers_file),
        "HEADRACE_ALLOW_PRIVATE_URLS": "1",
    }
    arguments = ("--no-demo", "--gateways", str(parts), "--workers", str(parts))
    started = running(folder, *arguments, **(settings | environ))
    began = time.monotonic()
    async with contextlib.AsyncExitStack() as exits:
        stack = await asyncio.to_thread(started.__enter__)
        exits.push_async_callback(asyncio.to_thread, started.__exit__, None, None, None)
        store = Store.open(_settings(url, certificates))
        exits.push_async_callback(store.close)
        target = await exits.enter_async_context(serving())
        wanted = [shard for shard in range(servers.shard_count) for _ in ("load", "probe")]
        shard_of = partial(_shard_of, servers)
        spenders = await open_accounts(
            store, stack.url, load_tiers(str(tiers_file)), wanted, shard_of
        )
        probed = {shard_of(each.account.id): each for each in spenders}
        load = Load([each for each in spenders if each not in probed.values()], target.url)
        probes = [
            Probe(probed[shard], await save_tiny(probed[shard]))
            for shard in range(servers.shard_count)
        ]
        scene = Scene(
            servers=servers, stack=stack, store=store, load=load, probes=probes, target=target
        )
        async with contextlib.AsyncExitStack() as under_load:
            await under_load.enter_async_context(load.running(callers))
            for probe in probes:
                await under_load.enter_async_context(probe.running(pace))
            await _reached(lambda: load.answered_after(began, "sync", 200))
            await asyncio.sleep(CALM_SECONDS)  # replicas that are behind have the workflows too
            yield scene
        await _conclude(scene)
        scene.outcome.seconds = time.monotonic() - began


async def _conclude(scene: Scene) -> None:
    outcome = scene.outcome
    outcome.verdict = await judge(scene.load, scene.probes, scene.target.calls)
    outcome.statuses = scene.load.statuses()
    for probe in scene.probes:
        outcome.statuses.update(f"{each.status} {each.code}".strip() for each in probe.answers)


def _settings(url: str, certificates: Certificates | None) -> Settings:
    settings = Settings(redis_url=url, secret_key=SECRET_KEY)
    if certificates is None:
        return settings
    cert, key, ca = certificates.client_cert, certificates.client_key, certificates.ca
    files = {"redis_tls_cert": str(cert), "redis_tls_key": str(key), "redis_tls_ca": str(ca)}
    return replace(settings, **files)


def _shard_of(servers: Servers, account_id: str) -> int:
    return servers.shard_of(key_slot(keyspace.wallet(account_id).encode()))


async def _reached(read: Callable[[], float | None]) -> float:
    async def look() -> float | None:
        return read()

    found = await eventually(look, timeout=AGAIN_SECONDS)
    assert found is not None
    return found
