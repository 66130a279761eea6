"""Ended deliveries that are not archived: names, records and removal."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.ids.partitions import partition_of
from engine.store.archive.outbox import HistoryBacklog, Outbox
from engine.store.executions.record_fields import parse_hash
from engine.store.partitioned.first_members import FirstMembers
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.webhooks.owners import run_owner

ROTATION_SECONDS = 60.0
ENDED = frozenset({b"delivered", b"failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedDelivery:
    """Record of a delivery that has ended, as Redis has it."""

    account_id: str
    delivery_id: str
    settled_at: int
    """Time of its last attempt in milliseconds."""
    fields: dict[str, bytes]


class EndedDeliveries:
    """Reads and removes ended deliveries for the archiver."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._outbox = Outbox(client, keyspace.unarchived_deliveries)
        self._first_ended = FirstMembers(client, keyspace.unarchived_deliveries)
        self._first_archived = FirstMembers(client, keyspace.archived_deliveries)

    async def unarchived(self, count: int) -> list[str]:
        """Return names `account/delivery/fence` of ended deliveries that the history lacks."""
        return await self._outbox.oldest(count)

    async def backlog(self) -> HistoryBacklog:
        """Return how many ends of deliveries the history lacks, as far as known."""
        return await self._outbox.backlog()

    async def records(self, names: Sequence[str]) -> list[EndedDelivery]:
        """Return the records of the deliveries that have ended and are there."""
        deliveries = await asyncio.gather(*map(self._read, names))
        return [each for each in deliveries if each is not None]

    async def mark_archived(self, names: Iterable[str], now: int) -> None:
        """Move deliveries from the unarchived ones to the archived ones, which may be forgotten."""
        await self._outbox.move(names, keyspace.archived_deliveries, now)

    async def drop(self, ended_before_ms: int) -> None:
        """Drop old ends from the list, where there is no history to take them."""
        due = await self._first_ended.due(ended_before_ms, ROTATION_SECONDS)
        keys = map(keyspace.unarchived_deliveries, due)
        await asyncio.gather(
            *(self._client.send("ZREMRANGEBYSCORE", key, "-inf", ended_before_ms) for key in keys)
        )

    async def archived(self, until: int, count: int) -> list[str]:
        """Return at most `count` names of deliveries that were archived until a time (ms)."""
        return await self._first_archived.due_members(until, count, ROTATION_SECONDS)

    async def forget(self, name: str) -> bool:
        """Remove a delivery, unless an attempt came after the archived one."""
        account_id, delivery_id, fence = name.split("/")
        key = keyspace.delivery(account_id, delivery_id)
        owner, execution = await self._client.send("HMGET", key, "key", "execution")
        run = execution and run_owner(execution.decode())
        verdict = await self._client.call(
            SCRIPTS["remove_ended_delivery"],
            delivery=key,
            archived_deliveries=keyspace.archived_deliveries(partition_of(account_id)),
            webhook_deliveries=keyspace.webhook_deliveries(account_id, (owner or b"").decode()),
            account_deliveries=keyspace.account_deliveries(account_id),
            run_deliveries=run and keyspace.webhook_deliveries(account_id, run),
            newest_forgotten=keyspace.newest_forgotten(partition_of(account_id), "deliveries"),
            member=name,
            delivery_id=delivery_id,
            fence=fence,
        )
        return bool(int(verdict))

    async def _read(self, name: str) -> EndedDelivery | None:
        account_id, delivery_id, _ = name.split("/")
        partition = partition_of(account_id)
        reply, settled_at = await asyncio.gather(
            self._client.send("HGETALL", keyspace.delivery(account_id, delivery_id)),
            self._client.send("ZSCORE", keyspace.unarchived_deliveries(partition), name),
        )
        fields = parse_hash(reply)
        if fields.get("status") not in ENDED or settled_at is None:
            return None
        return EndedDelivery(
            account_id=account_id,
            delivery_id=delivery_id,
            settled_at=int(float(settled_at)),
            fields=fields,
        )
