"""The monkey: parts of an installation that it harms, and the way of a fault."""

import asyncio
import contextlib
import os
import random
import resource
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import redis

from engine.store.redis import process_keys
from tests.support.acceptance.versions.processes import Member, VersionFleet
from tests.support.acceptance.versions.releases import Release
from tests.support.history.away import TakenAway
from tests.support.http.webhook_receivers import Receiver
from tests.support.redis.processes import ServerProcess
from tests.support.redis.sentinel import SentinelGroup
from tests.support.redis.stepped_clock import SteppedClock
from tests.support.soak.differences import OTHER, Differences
from tests.support.soak.plan import Turn

WATCH_SECONDS = 0.5
DOWN_SECONDS = 5.0
"""Time before and after a failover in which the old primary took writes that are lost."""
UNWANTED = "a failover that no fault was to make"
NOT_MENDED = (AssertionError, OSError, redis.RedisError, subprocess.SubprocessError)
"""Errors of a fault whose part does not come back in time."""
Fault = Callable[["Monkey", random.Random], Awaitable[None]]


@dataclass
class Monkey:
    """Parts that are harmed, and the count of faults."""

    fleet: VersionFleet
    group: SentinelGroup
    differences: Differences
    database: TakenAway
    receiver: Receiver
    redis_clock: SteppedClock
    part_clock: SteppedClock
    """Clock of a gateway and a worker."""
    previous: Release | None = None
    """Release before this one, if the clone has its code and the store still its schema."""
    veterans: list[Member] = field(default_factory=list)
    """A gateway and a worker that live through the session, so that their memory is judged."""
    done: Counter[str] = field(default_factory=Counter)
    times: list[tuple[float, float]] = field(default_factory=list)
    """Times of the monotonic clock at which each fault began and was over."""

    async def play(self, faults: Mapping[str, Fault], turns: list[Turn], seconds: float) -> None:
        """Make each fault at its time, and wait for the end of the time."""
        began = self.differences.began
        for turn in turns:
            await asyncio.sleep(max(0.0, began + turn.at - time.monotonic()))
            now = time.monotonic()
            print(f"{now - began:7.1f} s  {turn.kind}", flush=True)
            try:
                await faults[turn.kind](self, random.Random(turn.seed))
            except NOT_MENDED as error:
                text = f"{turn.kind} at {now - began:.1f} s: {error!r}"
                self.differences.note(OTHER, "fault", text)
                await asyncio.to_thread(self.mend)
            self.times.append((now, time.monotonic()))
            self.done[turn.kind] += 1
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))

    def mend(self) -> None:
        """Mend all that a fault may have left, after one that could not mend it."""
        for member in self.fleet.members:
            if member.is_alive:
                os.kill(member.pid, signal.SIGCONT)
            else:
                member.start()
        for server in (*self.group.servers, *self.group.sentinels):
            self._mend_server(server)
        self.database.give_back()
        self.receiver.is_failing = False
        for clock in (self.redis_clock, self.part_clock):
            clock.step(0)

    def _mend_server(self, server: ServerProcess) -> None:
        front = self.group.front(server)
        front.mend()
        front.delay = front.loss = 0.0
        front.replies_to_lose = 0
        if server.is_paused:
            server.resume()
        if not server.is_running:
            server.start()
        assert server.process is not None
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)
        if server in self.group.servers:
            with contextlib.suppress(redis.RedisError):
                server.command("CONFIG", "SET", "maxmemory", 0)

    def members(self, kind: str, *, with_veterans: bool = False) -> list[Member]:
        """Return the processes of a kind that may be harmed."""
        return [
            each
            for each in self.fleet.members
            if each.kind == kind and (with_veterans or each not in self.veterans)
        ]

    async def primary(self) -> ServerProcess:
        return await asyncio.to_thread(self.group.primary)

    async def lead(self) -> int:
        """Return the process of the worker that leads, 0 while none does."""
        primary = await self.primary()
        with contextlib.suppress(redis.RedisError):
            found = await asyncio.to_thread(primary.command, "GET", process_keys.leader())
            return int(found.decode().split("-")[-2]) if found else 0
        return 0

    async def kill(self, member: Member) -> None:
        """Kill a process, which starts again."""
        await asyncio.to_thread(self.fleet.kill, member)
        await asyncio.to_thread(member.wait_ready)

    async def fail_over(self, harm: Callable[[ServerProcess], object], rest: float = 0.0) -> None:
        """Let another server become the primary; the old one comes back as its replica."""
        old = await self.primary()
        with self.differences.failing_over():
            harm(old)
            await asyncio.to_thread(self.group.await_failover, old)
            await asyncio.sleep(rest)
            if old.is_paused:
                old.resume()
            front = self.group.front(old)
            front.mend()
            await asyncio.to_thread(self.group.restart, old)

    async def watch_primary(self) -> None:
        """Note failovers that no fault was to make: of a machine that is too busy for sentinels."""
        known, seen_at = await self.primary(), time.monotonic()
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = await self.primary()
            moment = time.monotonic()
            if now is not known and not self.differences.touches(seen_at, moment):
                window = seen_at - DOWN_SECONDS, moment + DOWN_SECONDS
                self.differences.failovers.append(window)
                self.done[UNWANTED] += 1
                print(f"{self.differences.after(moment):>9}  {UNWANTED}", flush=True)
            known, seen_at = now, moment

    @contextlib.asynccontextmanager
    async def harmed(self) -> AsyncIterator[ServerProcess]:
        """Yield the primary; a failover within the context is noted as such."""
        old = await self.primary()
        with self.differences.failing_over():
            yield old
            await asyncio.to_thread(self.group.await_replicas)
            now = await self.primary()
        if now is old:
            self.differences.failovers.pop()
