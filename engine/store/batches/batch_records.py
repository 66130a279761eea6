"""Records of batches, from Redis or from the history."""

import asyncio
from collections.abc import Mapping, Sequence

from msgspec import Struct

from engine.errors import Unavailable
from engine.executions.filter import Position
from engine.ids.partitions import partition_of
from engine.store.archive.archive import Archive
from engine.store.archive.ended_batches import KIND
from engine.store.batches.records import HEAD_FIELDS, Batch, parse_batch
from engine.store.executions.read.scan import read_members
from engine.store.redis import batch_keys, keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS


class BatchRows(Struct, frozen=True):
    """Batches in the order of lists, and whether others follow."""

    batches: Sequence[Batch]
    has_more: bool


class BatchRecords:
    """Reads records by id: first in Redis, and what it has forgotten in the history.

    The history is asked only about accounts of which Redis has forgotten a batch.
    """

    def __init__(self, client: Client, archive: Archive) -> None:
        self._client = client
        self._archive = archive

    async def fields(self, account_id: str, batch_id: str, *names: str) -> Sequence[bytes | None]:
        """Return fields of the record, None for absent ones; all are absent where it is gone.

        The first must be one that every record has. Raises Unavailable.
        """
        key = batch_keys.batch(account_id, batch_id)
        values: Sequence[bytes | None] = await self._client.send("HMGET", key, *names)
        if values[0] is not None:
            return values
        forgotten = await self._forgotten(account_id, batch_id)
        return values if forgotten is None else [forgotten.get(name) for name in names]

    async def recall(self, account_id: str, batch_id: str) -> None:
        """Put a batch back that Redis has forgotten, if there is one. Raises Unavailable."""
        if await self._client.send("EXISTS", batch_keys.batch(account_id, batch_id)):
            return
        fields = await self._forgotten(account_id, batch_id)
        if fields is None:
            return
        await self._client.call(
            SCRIPTS["restore_archived_batch"],
            batch=batch_keys.batch(account_id, batch_id),
            batches=batch_keys.account_batches(account_id),
            archived_batches=batch_keys.archived_batches(partition_of(account_id)),
            id=batch_id,
            reference=keyspace.reference(account_id, batch_id),
            created=fields["created"],
            fields=[word for pair in fields.items() for word in pair],
        )

    async def rows(self, account_id: str, after: Position | None, limit: int) -> BatchRows:
        """Return at most `limit` batches after a row, newest first. Raises Unavailable.

        While the history is away, these are the batches that are newer than any it has alone.
        """
        hot = await self._hot(account_id, after, limit + 1)
        forgotten_at = await self._newest_forgotten(account_id)
        is_full = len(hot) > limit
        if forgotten_at is None or (is_full and hot[limit].created_at > forgotten_at):
            return BatchRows(hot[:limit], is_full)
        try:
            archived = await self._archive.batches(account_id, after, limit + 1)
        except Unavailable:
            newer = [each for each in hot if each.created_at > forgotten_at]
            if not newer:
                raise
            return BatchRows(newer[:limit], has_more=True)
        parsed = (_parse(account_id, each.id, each.fields) for each in archived)
        merged = {each.id: each for each in parsed if each is not None}
        merged |= {each.id: each for each in hot}
        rows = sorted(merged.values(), key=_position, reverse=True)
        return BatchRows(rows[:limit], len(rows) > limit)

    async def _hot(self, account_id: str, after: Position | None, count: int) -> list[Batch]:
        """Return at most `count` batches of Redis after a row, newest first."""
        key = batch_keys.account_batches(account_id)
        rows = await read_members(self._client, key, after, count)
        read = await asyncio.gather(*(self._read_hot(account_id, row.id) for row in rows))
        return [each for each in read if each is not None]

    async def _read_hot(self, account_id: str, batch_id: str) -> Batch | None:
        key = batch_keys.batch(account_id, batch_id)
        values = await self._client.send("HMGET", key, *HEAD_FIELDS)
        return parse_batch(account_id, batch_id, values)

    async def _forgotten(self, account_id: str, batch_id: str) -> Mapping[str, bytes] | None:
        if await self._newest_forgotten(account_id) is None:
            return None
        return await self._archive.batch(account_id, batch_id)

    async def _newest_forgotten(self, account_id: str) -> int | None:
        key = keyspace.newest_forgotten(partition_of(account_id), KIND)
        created_at = await self._client.send("HGET", key, account_id)
        return None if created_at is None else int(created_at)


def _parse(account_id: str, batch_id: str, fields: Mapping[str, bytes]) -> Batch | None:
    return parse_batch(account_id, batch_id, [fields.get(name) for name in HEAD_FIELDS])


def _position(batch: Batch) -> Position:
    return Position(batch.created_at, batch.id)
