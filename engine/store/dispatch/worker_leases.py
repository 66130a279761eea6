"""Leases of workers, the sweepers' leader, due hints and retention."""

import asyncio
import os
import secrets
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.ids import partitions
from engine.ids.partitions import partition_of
from engine.store.children.keys import GROUPS, group_keys
from engine.store.dispatch.due_search import DueSearch, Promoted
from engine.store.executions.record_fields import parse_hash
from engine.store.partitioned.first_members import FirstMembers
from engine.store.partitioned.set_sizes import SetSizes
from engine.store.redis import keyspace, process_keys
from engine.store.redis.client import Client
from engine.store.redis.info import read_now, read_uptime
from engine.store.redis.scripts import SCRIPTS
from engine.store.webhooks.owners import run_owner

SEEN_DEAD = 1
"""Lease end of a worker whose death was observed."""
FORGOTTEN_WITH_OBJECTS = 2
PRUNED_AT_ONCE = 1_600
PRUNE_ROTATION_SECONDS = 60.0
SIZES_SECONDS = 30.0


def make_worker_id() -> str:
    """Return a worker id for this process: host, process id and a random part."""
    return f"{_process_prefix(os.getpid())}{secrets.token_hex(3)}"


def pack_variables(names: Iterable[str]) -> str:
    """Return names of variables in their stored form."""
    return " ".join(sorted(names))


def _process_prefix(pid: int) -> str:
    return f"{socket.gethostname()}-{pid}-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """Number of removed executions, and those with objects left in the blob store."""

    executions: int
    with_objects: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leadership:
    """Leadership among the sweepers."""

    is_own: bool
    """Whether the caller leads."""
    now: int
    """Redis's time in milliseconds."""
    left_ms: int
    """Milliseconds until the leadership ends without a renewal."""


class Leases:
    """Reads and transitions of heartbeats and the sweeper."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._due_search = DueSearch(client, keyspace.due)
        self._due_sizes = SetSizes(client, keyspace.due, period_seconds=SIZES_SECONDS)
        self._ended = FirstMembers(client, keyspace.finished)

    async def variables(self) -> list[frozenset[str]]:
        """Return the variables of manifests that are set at each living worker."""
        reply = await self._client.call(
            SCRIPTS["list_worker_variables"],
            workers=process_keys.workers(),
            variables=process_keys.worker_variables(),
        )
        return [frozenset(names.decode().split()) for names in reply]

    async def resign(self, worker_id: str) -> None:
        """Remove a worker that has given back all its executions."""
        await asyncio.gather(
            self._client.send("HDEL", process_keys.worker_variables(), worker_id),
            self._client.send("ZREM", process_keys.workers(), worker_id),
        )

    async def workers(self) -> dict[str, int]:
        """Return each worker's lease end in milliseconds, expired ones included."""
        reply = await self._client.send("ZRANGE", process_keys.workers(), 0, -1, "WITHSCORES")
        return {name.decode(): int(score) for name, score in reply}

    async def count_workers(self) -> int:
        """Return the number of workers, with those whose lease is over."""
        return int(await self._client.send("ZCARD", process_keys.workers()))

    async def dead_workers(self, *, now: int | None = None, seen_only: bool = False) -> list[str]:
        """Return workers with an expired lease, or only those with an observed death.

        `now` is in milliseconds, None for Redis's clock.
        """
        now = SEEN_DEAD if seen_only else now
        reply = await self._client.call(
            SCRIPTS["list_dead_workers"], workers=process_keys.workers(), now=now
        )
        return [name.decode() for name in reply]

    async def held(self, worker_id: str) -> list[str]:
        """Return the references of a worker's executions."""
        replies = await asyncio.gather(
            *(self._client.send("HKEYS", keyspace.held(p, worker_id)) for p in partitions.every())
        )
        return [name.decode() for reply in replies for name in reply]

    async def held_count(self, worker_id: str) -> int:
        """Return the number of a worker's executions."""
        counts = await asyncio.gather(
            *(self._client.send("HLEN", keyspace.held(p, worker_id)) for p in partitions.every())
        )
        return sum(int(count) for count in counts)

    async def claims(
        self, worker_id: str, some_partitions: Iterable[int] | None = None
    ) -> dict[str, bytes]:
        """Return a worker's claims in some partitions or all: reference to fence and token."""
        places = partitions.every() if some_partitions is None else some_partitions
        replies = await asyncio.gather(
            *(self._client.send("HGETALL", keyspace.held(each, worker_id)) for each in places)
        )
        return {name: claim for reply in replies for name, claim in parse_hash(reply).items()}

    async def remove_dead(self, worker_id: str, *, now: int | None = None) -> bool:
        """Remove a dead worker unless its lease was renewed or it has executions again.

        `now` is in milliseconds, None for Redis's clock.
        """
        is_removed = await self._client.call(
            SCRIPTS["remove_dead_worker"],
            workers=process_keys.workers(),
            variables=process_keys.worker_variables(),
            now=now,
            worker=worker_id,
        )
        if is_removed and await self.held(worker_id):
            # It claimed an execution after the last read; the next sweep finds it again.
            await self._client.send("ZADD", process_keys.workers(), "NX", 1, worker_id)
            return False
        return bool(is_removed)

    async def take_lead(
        self, worker_id: str, lease_ms: int, *, key: str = process_keys.leader()
    ) -> Leadership:
        """Acquire or renew the leadership, or return the time until another leader's ends.

        `key` is that of the sweepers' leader or of another one.
        """
        is_own, now, left_ms = await self._client.call(
            SCRIPTS["take_lead"], leader=key, worker=worker_id, lease_ms=lease_ms
        )
        return Leadership(is_own=bool(is_own), now=int(now), left_ms=int(left_ms))

    async def shorten(self, lease_ms: int, *, now: int | None = None) -> None:
        """Shorten leases that end after one granted now: Redis's clock was set back.

        `now` is in milliseconds, None for Redis's clock.
        """
        await self._client.call(
            SCRIPTS["shorten_leases"], workers=process_keys.workers(), now=now, lease_ms=lease_ms
        )

    async def promote(self, resend_ms: int, now: int | None = None) -> Promoted:
        """Return executions with a due hint; each is due again after `resend_ms`.

        `now` is in milliseconds, None for Redis's clock.
        """
        return await self._due_search.promote(now, resend_ms)

    async def prune(self, ended_before_ms: int) -> Pruned:
        """Remove a bounded number of executions per partition that ended before the time."""
        places = await self._ended.due(ended_before_ms, PRUNE_ROTATION_SECONDS)
        most = max(1, PRUNED_AT_ONCE // max(16, len(places)))
        replies = await asyncio.gather(
            *(
                self._client.send(
                    *("ZRANGE", keyspace.finished(partition), "-inf", ended_before_ms),
                    *("BYSCORE", "LIMIT", 0, most),
                )
                for partition in places
            )
        )
        old = [name.decode() for reply in replies for name in reply]
        left = await asyncio.gather(*(self._forget(each, ended_before_ms) for each in old))
        with_objects = [each for each, has_objects in zip(old, left, strict=True) if has_objects]
        return Pruned(executions=len(old), with_objects=with_objects)

    async def _forget(self, reference: str, ended_before_ms: int) -> bool:
        """Remove one execution; True when its objects remain."""
        account_id, execution_id = keyspace.parse_reference(reference)
        key = keyspace.execution(account_id, execution_id)
        groups = await self._client.send("HGET", key, GROUPS)
        verdict = await self._client.call(
            SCRIPTS["remove_ended_execution"],
            execution=key,
            executions=keyspace.account_executions(account_id),
            finished=keyspace.finished(partition_of(account_id)),
            events=keyspace.events(account_id, execution_id),
            progress=keyspace.progress(account_id, execution_id),
            unarchived=keyspace.unarchived(partition_of(account_id)),
            delivery=keyspace.delivery(account_id, execution_id),
            run_webhook=keyspace.webhook(account_id, run_owner(execution_id)),
            newest_forgotten=keyspace.newest_forgotten(partition_of(account_id)),
            groups=group_keys(account_id, execution_id, groups),
            execution_id=execution_id,
            reference=reference,
            ended_before_ms=ended_before_ms,
        )
        return int(verdict) == FORGOTTEN_WITH_OBJECTS

    async def due(self) -> int:
        """Return the number of executions with a scheduled hint, future retries included.

        With many partitions the figures of some are up to `SIZES_SECONDS` old.
        """
        count, _ = await self._due_sizes.read()
        return count

    async def due_and_first(self) -> tuple[int, int | None]:
        """Return the same number, and the time in milliseconds of the first scheduled hint."""
        return await self._due_sizes.read()

    async def oldest_due(self) -> int | None:
        """Return the time in milliseconds of the first scheduled hint, None without one."""
        first = FirstMembers(self._client, keyspace.due)
        await first.due(0, SIZES_SECONDS)  # a first search reads all partitions
        return first.first_time

    async def uptime_seconds(self) -> int:
        """Return the uptime of Redis in seconds, of a cluster that of its youngest primary."""
        return await read_uptime(self._client)

    async def end_leases_of_process(self, pid: int) -> None:
        """End the leases of this process id's workers on this host."""
        prefix = _process_prefix(pid)
        for worker_id in await self.workers():
            if worker_id.startswith(prefix):
                await self.end_lease(worker_id)

    async def end_lease(self, worker_id: str) -> None:
        """End a worker's lease at once, after its process was seen to end."""
        await self._client.send("ZADD", process_keys.workers(), "XX", SEEN_DEAD, worker_id)

    async def now(self) -> int:
        """Return Redis's time in milliseconds."""
        return await read_now(self._client)
