"""Batches that are over and not archived: references, records and removal."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.ids.partitions import partition_of
from engine.store.archive.outbox import HistoryBacklog, Outbox
from engine.store.executions.record_fields import parse_hash
from engine.store.partitioned.first_members import FirstMembers
from engine.store.redis import batch_keys, keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS

ROTATION_SECONDS = 60.0
PRUNED_AT_ONCE = 100
REMOVED_WITH_OBJECTS = 2
KIND = "batches"
"""Kind of the newest forgotten ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedBatchRecord:
    """Record of a batch that is over, as Redis has it."""

    account_id: str
    batch_id: str
    fields: dict[str, bytes]

    @property
    def reference(self) -> str:
        """Name of the batch in sets."""
        return keyspace.reference(self.account_id, self.batch_id)


class EndedBatches:
    """Reads and removes batches that are over, for the archiver."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._outbox = Outbox(client, batch_keys.unarchived_batches)
        self._first_ended = FirstMembers(client, batch_keys.unarchived_batches)
        self._first_archived = FirstMembers(client, batch_keys.archived_batches)

    async def unarchived(self, count: int) -> list[str]:
        """Return references of batches that are over and that the history lacks."""
        return await self._outbox.oldest(count)

    async def backlog(self) -> HistoryBacklog:
        """Return how many batches the history lacks, as far as known."""
        return await self._outbox.backlog()

    async def records(self, references: Sequence[str]) -> list[EndedBatchRecord]:
        """Return the records of the batches that are over and are there."""
        ids = [keyspace.parse_reference(each) for each in references]
        replies = await asyncio.gather(
            *(self._client.send("HGETALL", batch_keys.batch(*each)) for each in ids)
        )
        return [
            EndedBatchRecord(account_id=account_id, batch_id=batch_id, fields=fields)
            for (account_id, batch_id), reply in zip(ids, replies, strict=True)
            if "completed" in (fields := parse_hash(reply))
        ]

    async def mark_archived(self, references: Iterable[str], now: int) -> None:
        """Move batches from the unarchived ones to the archived ones, which may be forgotten."""
        await self._outbox.move(references, batch_keys.archived_batches, now)

    async def archived(self, until: int, count: int) -> list[str]:
        """Return at most `count` references of batches that were archived until a time (ms)."""
        return await self._first_archived.due_members(until, count, ROTATION_SECONDS)

    async def retries(self, references: Sequence[str]) -> Mapping[str, str]:
        """Return the batch with the failed items of each batch, empty without one."""
        keys = [batch_keys.batch(*keyspace.parse_reference(each)) for each in references]
        found = await asyncio.gather(*(self._client.send("HGET", key, "retry") for key in keys))
        return {
            name: (retry or b"").decode() for name, retry in zip(references, found, strict=True)
        }

    async def forget(self, reference: str, retry: str) -> bool:
        """Remove an archived batch, and return whether it was removed.

        A batch whose end is not delivered, or that was retried meanwhile, stays.
        """
        partition = partition_of(keyspace.parse_reference(reference)[0])
        listed = batch_keys.archived_batches(partition)
        return bool(await self._remove(reference, listed, retry))

    async def prune(self, ended_before_ms: int) -> list[str]:
        """Remove a bounded number of old batches, where there is no history to take them.

        Return the references of those with objects.
        """
        old = await self._first_ended.due_members(ended_before_ms, PRUNED_AT_ONCE, ROTATION_SECONDS)
        retries = await self.retries(old)
        with_objects = []
        for each in old:
            listed = batch_keys.unarchived_batches(partition_of(keyspace.parse_reference(each)[0]))
            if await self._remove(each, listed, retries[each]) == REMOVED_WITH_OBJECTS:
                with_objects.append(each)
        return with_objects

    async def _remove(self, reference: str, listed: str, retry: str) -> int:
        account_id, batch_id = keyspace.parse_reference(reference)
        verdict = await self._client.call(
            SCRIPTS["remove_ended_batch"],
            batch=batch_keys.batch(account_id, batch_id),
            batches=batch_keys.account_batches(account_id),
            listed=listed,
            open_batches=batch_keys.open_batches(account_id),
            delivery=keyspace.delivery(account_id, batch_id),
            newest_forgotten=keyspace.newest_forgotten(partition_of(account_id), KIND),
            id=batch_id,
            reference=reference,
            last_retry=retry,
        )
        return int(verdict)
