"""Feeding of batches: items that may begin are taken, and what is over is settled."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from engine.access.tiers import TierTerms
from engine.executions.batches import BatchKind
from engine.ids.partitions import partition_of
from engine.store.batches.chunks import ItemChunks
from engine.store.batches.limits import ItemLimits
from engine.store.batches.records import NewItem
from engine.store.partitioned.due_lists import LEASE_MS, LOOK_MS, DueLists
from engine.store.partitioned.first_members import FirstMembers
from engine.store.partitioned.taken_items import TakenItems, parse_taken
from engine.store.redis import batch_keys, keyspace
from engine.store.redis.batch_keys import BatchKeys
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack, unpack
from engine.store.redis.scripts import SCRIPTS
from engine.store.waits import keys as wait_keys

MOST_ITEMS = 20
"""Most items that a worker takes at once."""
MOST_COUNTED = 100
"""Most accounts of one partition whose queued items are counted."""
COUNT_SECONDS = 60.0
END_OF_TIME = 2**53
"""Time in milliseconds after all others."""


class FedBatch(Struct, frozen=True, kw_only=True):
    """Facts of a batch that its executions have."""

    id: str
    slug: str
    version: int
    owner_id: str
    key_id: str
    tags: Sequence[str]
    request_id: str
    trace: str
    """Header of the span above those of the items' executions; empty: no trace."""
    depth: int
    kind: BatchKind = BatchKind.BATCH


class BatchFeeding:
    """Hands out items of batches; `due` finds accounts and batches that need a look."""

    def __init__(self, client: Client, chunks: ItemChunks) -> None:
        self._client = client
        self._chunks = chunks
        self.due = DueLists(client, batch_keys.open_batches, batch_keys.batches_due)
        self._counted = FirstMembers(client, batch_keys.batches_due)

    async def count_queued(self) -> int:
        """Return the number of queued items, of a bounded number of accounts of each partition.

        An account is counted within a minute after its first batch.
        """
        queued = 0
        for partition in await self._counted.due(END_OF_TIME, COUNT_SECONDS):
            key = batch_keys.batches_due(partition)
            names = await self._client.send("ZRANGE", key, 0, MOST_COUNTED - 1)
            self._counted.note(partition, 0 if names else None)
            items = (batch_keys.account_items(name.decode()) for name in names)
            counts = await asyncio.gather(
                *(self._client.send("HGET", each, "queued") for each in items)
            )
            queued += sum(int(count or 0) for count in counts)
        return queued

    async def take(
        self, account_id: str, batch_id: str, token: str, terms: TierTerms
    ) -> TakenItems:
        """Return the next items to begin. `token` is the worker's, for all calls of one feed."""
        keys, limits = BatchKeys.of(account_id, batch_id), ItemLimits.of(account_id, terms)
        reply = await self._client.call(
            SCRIPTS["feed_batch"],
            batch=keys.batch,
            account_items=keys.account_items,
            open_batches=keys.open_batches,
            batches_due=keys.batches_due,
            waiting_items=wait_keys.waiting_items(account_id),
            windows=limits.windows,
            account_id=account_id,
            most_active=limits.most_active,
            most_items=limits.most_items,
            most_calls=limits.most_calls,
            bucket=limits.bucket,
            window_ms=limits.window_ms,
            active=keyspace.active(account_id),
            id=batch_id,
            token=token,
            lease_ms=LEASE_MS,
            most=MOST_ITEMS,
            look_ms=LOOK_MS,
        )
        return parse_taken(reply)

    async def release(self, account_id: str, batch_id: str, token: str) -> None:
        """Give a batch back whose items could not be begun, to be looked at in a while."""
        key = batch_keys.batch(account_id, batch_id)
        await self.due.release(key, account_id, batch_id, token)

    async def facts(self, account_id: str, batch_id: str) -> FedBatch | None:
        """Return the facts of a batch, None when it is gone."""
        key = batch_keys.batch(account_id, batch_id)
        names = ("slug", "version", "owner", "key", "tags", "request", "trace", "depth", "kind")
        values = await self._client.send("HMGET", key, *names)
        slug, version, owner, key_id, tags, request, trace, depth, kind = values
        if slug is None:
            return None
        return FedBatch(
            id=batch_id,
            slug=slug.decode(),
            version=int(version),
            owner_id=(owner or b"").decode(),
            key_id=(key_id or b"").decode(),
            tags=unpack(tags) if tags else (),
            request_id=(request or b"").decode(),
            trace=(trace or b"").decode(),
            depth=int(depth or 1),
            kind=BatchKind((kind or b"").decode()),
        )

    async def items(
        self, account_id: str, batch_id: str, indexes: Sequence[int]
    ) -> Mapping[int, NewItem | None]:
        """Return the first of these items, like `ItemChunks.read_some`."""
        return await self._chunks.read_some(account_id, batch_id, indexes)

    async def fail(
        self, account_id: str, batch_id: str, index: int, error: Mapping[str, Any]
    ) -> bool:
        """End a queued item with an error; False: it is not queued any more."""
        keys = BatchKeys.of(account_id, batch_id)
        is_failed = await self._client.call(
            SCRIPTS["fail_item"],
            batch=keys.batch,
            account_items=keys.account_items,
            open_batches=keys.open_batches,
            batches_due=keys.batches_due,
            id=batch_id,
            account_id=account_id,
            item=index,
            error=pack(dict(error)),
        )
        return bool(is_failed)

    async def settle(
        self, account_id: str, batch_id: str, kind: BatchKind = BatchKind.BATCH
    ) -> None:
        """Note that the end of a batch needs no further look."""
        partition = partition_of(account_id)
        is_list = kind is not BatchKind.BATCH
        ended = batch_keys.ended_lists if is_list else batch_keys.unarchived_batches
        await self._client.call(
            SCRIPTS["settle_batch"],
            batch=batch_keys.batch(account_id, batch_id),
            open_batches=batch_keys.open_batches(account_id),
            account_items=batch_keys.account_items(account_id),
            ended=ended(partition),
            id=batch_id,
            account_id=account_id,
        )
