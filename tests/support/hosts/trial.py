"""An installation over several hosts under load, and the oracle at the end."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.store import Account, Store
from tests.support.acceptance.versions import oracle
from tests.support.acceptance.versions.trial import GIVEN, open_account
from tests.support.eventually import eventually
from tests.support.hosts.figures import REPEATS
from tests.support.hosts.installation import GATEWAY, WORKER, Installation, Part, installation
from tests.support.hosts.load import (
    ANSWER_SECONDS,
    HELD_SECONDS,
    PATIENCE_SECONDS,
    HostsLoad,
    TimedTarget,
)
from tests.support.http.scripted_server import serving
from tests.support.http.webhook_receivers import Receiver, receiving

GATEWAYS = ("gw1", "gw2")
WORKERS = ("w1", "w2", "w3")
AGAIN_SECONDS = 90.0
"""Bound of the time until something goes on; reached only when it never does."""

PROBE_SECONDS = 0.1
CALM_SECONDS = 1.5


class Attempt(NamedTuple):
    """One request. Times are of the monotonic clock; status 0: no answer."""

    sent: float
    answered: float
    status: int


@dataclass(kw_only=True)
class HostsTrial:
    """Hosts under load."""

    installed: Installation
    store: Store
    account: Account
    load: HostsLoad
    target: TimedTarget
    receiver: Receiver
    faults: int = 0
    """Cuts, kills and stops: after each, a call may be made once more."""
    events: list[tuple[float, str]] = field(default_factory=list)
    """Moments of the monotonic clock, and what was done to the hosts then."""

    def part(self, name: str) -> Part:
        """Return the gateway or worker of a host."""
        return self.installed.parts[name]

    async def cut(self, name: str, *others: str) -> float:
        """Cut a host off from all, or only from some others; return the moment."""
        found = [self.installed.host(each) for each in others]
        await asyncio.to_thread(self.installed.host(name).cut, *found)
        return self._note(f"{name} cut off" + (f" from {', '.join(others)}" if others else ""))

    async def mend(self, name: str, *others: str) -> float:
        """Undo `cut`; return the moment."""
        found = [self.installed.host(each) for each in others]
        await asyncio.to_thread(self.installed.host(name).mend, *found)
        return self._note(f"{name} back")

    async def kill(self, name: str) -> float:
        """Kill all processes of a host at once; return the moment."""
        await asyncio.to_thread(self.installed.host(name).kill)
        return self._note(f"{name} killed")

    async def start(self, kind: str, *names: str, **environ: str) -> float:
        """Start parts, and return the moment once they are ready."""
        moment = self._note(f"{', '.join(names)} started")
        await asyncio.to_thread(self.installed.start, kind, *names, **environ)
        return moment

    async def drain(self, name: str) -> float:
        """Let a part drain and end; return the seconds that takes."""
        self._note(f"{name} drained")
        return await asyncio.to_thread(self.part(name).stop)

    async def play(self, callers: int, scene: Awaitable[None]) -> Counter[str]:
        """Make runs until the scene is over; check all of them, and return their ends."""
        await self.load.begin()
        await self.load.go_on(callers, scene)
        return await self.check()

    async def repeated(self, scene: Callable[["HostsTrial"], Awaitable[None]]) -> None:
        """Play a scene as often as figures are wanted, each time from a calm beginning."""
        for _ in range(REPEATS):
            await asyncio.sleep(CALM_SECONDS)
            await scene(self)

    async def check(self) -> Counter[str]:
        """Check each run, the money, the webhooks and the history; end all parts."""
        runs, installed = self.load.runs, self.installed
        ends = await oracle.check_ends(self.load, [each.url for each in installed.gateways])
        await oracle.check_webhooks(runs, self.receiver, callers_may_lose_gateways=True)
        await oracle.check_leftovers(installed.redis_url)
        await oracle.check_money(self.store, self.account, runs, GIVEN)
        if installed.database_url:
            await oracle.check_history(installed.database_url, self.account, runs)
        oracle.check_calls(runs, self.target, self.faults)
        await asyncio.to_thread(installed.stop)
        assert installed.tracebacks() == []
        return ends

    async def probe(self, part: Part) -> list[Attempt]:
        """Ask a gateway again and again to begin one run, until it does; return the attempts."""
        run, attempts = self.load.new_run("greet"), list[Attempt]()
        deadline = time.monotonic() + AGAIN_SECONDS + PATIENCE_SECONDS
        while not attempts or attempts[-1].status != 202:
            assert time.monotonic() < deadline, attempts[-1]
            sent = time.monotonic()
            status = await self.load.try_to_accept(run, part.url)
            attempts.append(Attempt(sent, time.monotonic(), status))
            await asyncio.sleep(PROBE_SECONDS)
        await self.load.await_end(run)
        return attempts

    async def reached(self, read: Callable[[], float | None]) -> float:
        """Return a moment once there is one."""

        async def look() -> float | None:
            return read()

        found = await eventually(look, timeout=AGAIN_SECONDS)
        assert found is not None
        return found

    def ended_after(self, moment: float) -> float | None:
        """Return when the first run ended after a moment, as its caller knew."""
        times = (run.ended for run in self.load.runs if run.ended > moment)
        return min(times, default=None)

    def per_second(self, since: float, until: float) -> float:
        """Return the runs that ended in a second between two moments."""
        count = sum(since <= run.ended < until for run in self.load.runs)
        return count / (until - since)

    def _note(self, event: str) -> float:
        moment = time.monotonic()
        self.events.append((moment, event))
        self.faults += 1
        return moment


@contextlib.asynccontextmanager
async def hosts_trial(
    *,
    alone: tuple[str, ...] = (),
    is_small: bool = False,
    gateways: tuple[str, ...] = GATEWAYS,
    workers: tuple[str, ...] = WORKERS,
    held_seconds: float = HELD_SECONDS,
    answer_seconds: float = ANSWER_SECONDS,
    **environ: str,
) -> AsyncIterator[HostsTrial]:
    """Yield a trial whose gateways and workers run, with an account and a key."""
    async with contextlib.AsyncExitStack() as stack:
        made = installation(alone=alone, is_small=is_small, **environ)
        installed = await asyncio.to_thread(made.__enter__)
        stack.push_async_callback(asyncio.to_thread, made.__exit__, None, None, None)
        here = installed.network.address
        target = TimedTarget()
        await stack.enter_async_context(serving(target, here))
        receiver = await stack.enter_async_context(receiving(here))
        store = Store.open(installed.settings)
        stack.push_async_callback(store.close)
        account, key = await open_account(store, "ada@localhost", f"{receiver.url}/ok")
        await asyncio.to_thread(installed.start, GATEWAY, *gateways)
        await asyncio.to_thread(installed.start, WORKER, *workers)
        load = HostsLoad(
            lambda: [each.url for each in installed.gateways],
            *(key, target.url),
            held_seconds=held_seconds,
            answer_seconds=answer_seconds,
        )
        stack.push_async_callback(load.close)
        yield HostsTrial(
            installed=installed,
            store=store,
            account=account,
            load=load,
            target=target,
            receiver=receiver,
        )
