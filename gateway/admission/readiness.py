"""Conditions under which this process serves in a degraded way."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from typing import Protocol

from engine.errors import EngineError
from engine.history.database.own_database import OwnDatabase
from engine.ids import partitions
from engine.store import HintSender, Store
from engine.store.archive.state import ArchiverStates
from engine.store.dispatch.stalled_queues import STALLED_SECONDS, StalledQueues
from engine.store.redis.client import Client
from engine.store.redis.errors import MEMORY_FIX
from engine.store.redis.info import RedisMemory, read_memory

POLL_SECONDS = 1.0
HISTORY_SECONDS = 2.0
"""Pause between looks at the history of `FEW_PARTITIONS` or fewer."""
MOST_HISTORY_SECONDS = 30.0
FEW_PARTITIONS = 16

logger = logging.getLogger(__name__)


class Watch(Protocol):
    """Watch over one condition."""

    def reason(self) -> str:
        """Return why the condition holds; empty where it does not."""
        ...

    async def watch(self) -> None:
        """Poll until cancelled."""
        ...


class Readiness:
    """Reports the conditions that hold now, each with its own watch."""

    def __init__(self, watches: Mapping[str, Watch]) -> None:
        self.watches = watches

    @classmethod
    def of(cls, store: Store, own_database: OwnDatabase) -> "Readiness":
        """Return the conditions of a gateway."""
        return cls(
            {
                "memory": MemoryWatch(store.client),
                "hints": QueueWatch(store.hints),
                "history": HistoryWatch(ArchiverStates(store.client), own_database),
            }
        )

    def degraded(self) -> list[str]:
        """Return the names of the conditions that hold."""
        return list(self.reasons())

    def reasons(self) -> dict[str, str]:
        """Return why conditions hold, by name."""
        found = {name: each.reason() for name, each in self.watches.items()}
        return {name: reason for name, reason in found.items() if reason}


class MemoryWatch:
    """Watches the memory of Redis every second."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._memory = RedisMemory(used=0, limit=0)

    def reason(self) -> str:
        """Return why Redis may soon refuse new runs, or does, as of its last answer."""
        if not self._memory.is_nearly_full:
            return ""
        return f"Redis uses {self._memory.used:,} of its {self._memory.limit:,} bytes"

    async def watch(self) -> None:
        """Poll until cancelled."""
        while True:
            with contextlib.suppress(EngineError, RuntimeError):
                self._report(await read_memory(self._client))
            await asyncio.sleep(POLL_SECONDS)

    def _report(self, memory: RedisMemory) -> None:
        before, self._memory = self._memory.is_nearly_full, memory
        extra = {"used_bytes": memory.used, "limit_bytes": memory.limit}
        if memory.is_nearly_full and not before:
            logger.warning("the memory of Redis is nearly full", extra={**extra, "fix": MEMORY_FIX})
        elif before and not memory.is_nearly_full:
            logger.info("Redis has memory again", extra=extra)


def history_pause(partition_count: int) -> float:
    """Return the seconds between looks at the history.

    Each gateway looks at all partitions, so with many of them it looks more rarely.
    """
    times = max(1.0, partition_count / FEW_PARTITIONS)
    return min(HISTORY_SECONDS * times, MOST_HISTORY_SECONDS)


class HistoryWatch:
    """Watches whether the history has the executions that ended."""

    def __init__(self, states: ArchiverStates, own: OwnDatabase) -> None:
        self._states = states
        self._own = own
        self._problem = ""

    def reason(self) -> str:
        """Return why the history is incomplete: the database or the archiver is away or behind."""
        return self._problem

    async def watch(self) -> None:
        """Poll until cancelled."""
        while True:
            with contextlib.suppress(EngineError, RuntimeError):
                health = await self._states.health()
                is_wanted = self._own.has_url or health.state.has_begun
                self._report(health.problem(self._own.problem()) if is_wanted else "")
            await asyncio.sleep(history_pause(partitions.known() or FEW_PARTITIONS))

    def _report(self, problem: str) -> None:
        before, self._problem = self._problem, problem
        if problem and not before:
            fix = "See that HEADRACE_DATABASE_URL answers, and names the same database as before"
            extra = {"reason": problem, "fix": fix}
            logger.warning("the history is incomplete", extra=extra)
        elif before and not problem:
            logger.info("the history is complete again")


class QueueWatch:
    """Watches the queues of hints every second for hints that no worker takes."""

    def __init__(self, hints: HintSender) -> None:
        self._hints = hints
        self._queues = StalledQueues()
        self._reached_at = time.monotonic()
        self._stalled: list[str] = []

    def reason(self) -> str:
        """Return why work stands still: hints wait for too long, or no queue is in reach."""
        if self._stalled:
            return f"Work waits in {', '.join(self._stalled)}, and no worker takes it"
        is_away = time.monotonic() - self._reached_at > STALLED_SECONDS
        return "The queues cannot be reached" if is_away else ""

    async def watch(self) -> None:
        """Poll until cancelled."""
        while True:
            try:
                self._report(await self._hints.heads())
            except (EngineError, RuntimeError):
                self._queues.forget()
                self._stalled = []
            await asyncio.sleep(POLL_SECONDS)

    def _report(self, heads: Mapping[str, bytes | None]) -> None:
        self._reached_at = now = time.monotonic()
        self._queues.observe(heads, now)
        stalled = self._queues.stalled(now)
        if stalled and stalled != self._stalled:
            extra = {"queues": stalled, "fix": "Start a worker, or look into the logs of workers"}
            logger.warning("hints wait that no worker takes", extra=extra)
        elif self._stalled and not stalled:
            logger.info("workers take hints again")
        self._stalled = stalled
