"""What keeps executions alive: heartbeats, the sweeper's lead, due hints and retention."""

import asyncio
import os
import secrets
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.ids.partitions import PARTITIONS, partition_of
from engine.store.executions.records import parse_hash
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.info import read_info
from engine.store.redis.scripts import SCRIPTS

SEEN_DEAD = 1
"""The end of a lease that was not waited for, since somebody saw the worker end."""
PROMOTED_AT_ONCE = 500
FORGOTTEN_WITH_OBJECTS = 2
WORKER_KEYS = (keyspace.workers(), keyspace.worker_variables())


def make_worker_id() -> str:
    """A name for this process as a worker: its host and process id, and a number of its own."""
    return f"{_process_prefix(os.getpid())}{secrets.token_hex(3)}"


def pack_variables(names: Iterable[str]) -> str:
    """Names of variables, as they are kept."""
    return " ".join(sorted(names))


def _process_prefix(pid: int) -> str:
    return f"{socket.gethostname()}-{pid}-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """How many executions were removed, and those of them that have left objects behind."""

    executions: int
    with_objects: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """References whose hint is due now, and whether there are any that are due at any time."""

    references: Sequence[str]
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The lead among the sweepers."""

    is_own: bool
    """Whether whoever asked leads."""
    now: int
    """Redis's time in milliseconds."""
    left_ms: int
    """Milliseconds until the lead ends, unless it is renewed."""


class Leases:
    """The reads and transitions of heartbeats and of the sweeper."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def variables(self) -> list[frozenset[str]]:
        """Return the names of the variables that each living worker has, of those in manifests."""
        reply = await self._client.call(SCRIPTS["list_worker_variables"], WORKER_KEYS, [0])
        return [frozenset(names.decode().split()) for names in reply]

    async def resign(self, worker_id: str) -> None:
        """Forget a worker that has given back all it held."""
        await asyncio.gather(
            self._client.send("HDEL", keyspace.worker_variables(), worker_id),
            self._client.send("ZREM", keyspace.workers(), worker_id),
        )

    async def workers(self) -> dict[str, int]:
        """Worker id to the end of its lease in milliseconds, dead ones included."""
        reply = await self._client.send("ZRANGE", keyspace.workers(), 0, -1, "WITHSCORES")
        return {name.decode(): int(score) for name, score in reply}

    async def dead_workers(self, *, now: int = 0, seen_only: bool = False) -> list[str]:
        """The workers whose lease is over, or only those whose death was seen.

        `now` is in milliseconds, 0 for Redis's clock.
        """
        now = SEEN_DEAD if seen_only else now
        reply = await self._client.call(SCRIPTS["list_dead_workers"], [keyspace.workers()], [now])
        return [name.decode() for name in reply]

    async def held(self, worker_id: str) -> list[str]:
        """References of all that a worker holds."""
        replies = await asyncio.gather(
            *(self._client.send("HKEYS", keyspace.held(p, worker_id)) for p in range(PARTITIONS))
        )
        return [name.decode() for reply in replies for name in reply]

    async def claims(self, worker_id: str) -> dict[str, bytes]:
        """The claims of a worker on record: reference to fence and token."""
        replies = await asyncio.gather(
            *(self._client.send("HGETALL", keyspace.held(p, worker_id)) for p in range(PARTITIONS))
        )
        return {name: claim for reply in replies for name, claim in parse_hash(reply).items()}

    async def remove_dead(self, worker_id: str, *, now: int = 0) -> bool:
        """Forget a dead worker, unless it has come back or holds something (again).

        `now` is in milliseconds, 0 for Redis's clock.
        """
        buried = await self._client.call(
            SCRIPTS["remove_dead_worker"], WORKER_KEYS, [now, worker_id]
        )
        if buried and await self.held(worker_id):
            # It claimed something between the last look and now: found again by the next sweep.
            await self._client.send("ZADD", keyspace.workers(), "NX", 1, worker_id)
            return False
        return bool(buried)

    async def take_lead(self, worker_id: str, lease_ms: int) -> Lead:
        """Become or stay the leader among the sweepers, or learn when another one's lead ends."""
        is_own, now, left_ms = await self._client.call(
            SCRIPTS["take_lead"], [keyspace.leader()], [0, worker_id, lease_ms]
        )
        return Lead(is_own=bool(is_own), now=int(now), left_ms=int(left_ms))

    async def shorten(self, lease_ms: int, *, now: int = 0) -> None:
        """End leases no later than one granted now, as Redis's clock may have been set back.

        `now` is in milliseconds, 0 for Redis's clock.
        """
        await self._client.call(SCRIPTS["shorten_leases"], [keyspace.workers()], [now, lease_ms])

    async def promote(self, resend_ms: int) -> Promoted:
        """Executions whose hint is due now; each is due again after `resend_ms`."""
        return await promote(
            self._client, [keyspace.due(each) for each in range(PARTITIONS)], 0, resend_ms
        )

    async def prune(self, ended_before_ms: int, at_most: int = 100) -> Pruned:
        """Remove executions that ended before the time, per partition bounded."""
        replies = await asyncio.gather(
            *(
                self._client.send(
                    *("ZRANGE", keyspace.finished(partition), "-inf", ended_before_ms),
                    *("BYSCORE", "LIMIT", 0, at_most),
                )
                for partition in range(PARTITIONS)
            )
        )
        old = [name.decode() for reply in replies for name in reply]
        left = await asyncio.gather(*(self._forget(each, ended_before_ms) for each in old))
        with_objects = [each for each, has_objects in zip(old, left, strict=True) if has_objects]
        return Pruned(executions=len(old), with_objects=with_objects)

    async def _forget(self, reference: str, ended_before_ms: int) -> bool:
        """Remove one; whether objects of it are left."""
        account_id, execution_id = keyspace.parse_reference(reference)
        verdict = await self._client.call(
            SCRIPTS["forget_execution"],
            [
                keyspace.execution(account_id, execution_id),
                keyspace.account_executions(account_id),
                keyspace.finished(partition_of(account_id)),
                keyspace.events(account_id, execution_id),
                keyspace.progress(account_id, execution_id),
            ],
            [execution_id, reference, ended_before_ms],
        )
        return int(verdict) == FORGOTTEN_WITH_OBJECTS

    async def due(self) -> int:
        """How many executions wait for a hint, those whose retry lies ahead included."""
        counts = await asyncio.gather(
            *(
                self._client.send("ZCARD", keyspace.due(partition))
                for partition in range(PARTITIONS)
            )
        )
        return sum(int(count) for count in counts)

    async def uptime_seconds(self) -> int:
        """How long Redis has been up."""
        info = await read_info(self._client, "server")
        return int(info.get("uptime_in_seconds", 0))

    async def end_leases_of(self, pid: int) -> None:
        """Take the worker for dead that was this process on this host."""
        prefix = _process_prefix(pid)
        for worker_id in await self.workers():
            if worker_id.startswith(prefix):
                await self.end_lease(worker_id)

    async def end_lease(self, worker_id: str) -> None:
        """Take a worker for dead at once: whoever started its process saw it end."""
        await self._client.send("ZADD", keyspace.workers(), "XX", SEEN_DEAD, worker_id)

    async def now(self) -> int:
        """Redis's time in milliseconds."""
        seconds, micros = await self._client.send("TIME")
        return int(seconds) * 1000 + int(micros) // 1000


async def promote(client: Client, keys: Sequence[str], now: int, resend_ms: int) -> Promoted:
    """Take what is due of these sorted sets; each reference is due again after `resend_ms`.

    `now` is in milliseconds, 0 for Redis's clock.
    """
    arguments = (now, PROMOTED_AT_ONCE, resend_ms)
    replies = await asyncio.gather(
        *(client.call(SCRIPTS["promote_due"], [key], arguments) for key in keys)
    )
    return Promoted(
        references=[name.decode() for _, names in replies for name in names],
        has_more=any(has_more for has_more, _ in replies),
    )
