"""Lists of runs that are no batches, replays and test runs: records, verdicts and removal."""

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct

from engine.errors import NotFound
from engine.executions.batches import BatchKind
from engine.executions.filter import Position
from engine.ids.executions import is_execution_id
from engine.ids.partitions import partition_of
from engine.store.archive.ended_batches import REMOVED_WITH_OBJECTS
from engine.store.batches.batches import BatchPage
from engine.store.batches.records import HEAD_FIELDS, Batch, parse_batch
from engine.store.executions.offload import OffloadedValues, make_seed_name
from engine.store.executions.read.scan import read_members
from engine.store.executions.record_fields import make_cursor, pack_name, parse_cursor
from engine.store.partitioned.first_members import FirstMembers
from engine.store.redis import batch_keys, keyspace
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack, unpack
from engine.store.redis.scripts import SCRIPTS

SMALL_BYTES = 2_048
"""Size up to which a verdict stands in the record; larger ones are objects."""
FIRST_OBJECT = 10_000
"""Number of the object with the verdict on the first item."""
NO_VERDICT = "-"
READ_AT_ONCE = 20
"""Verdicts that are read at once: each may be an object."""
PRUNED_AT_ONCE = 100
ROTATION_SECONDS = 60.0
END_OF_TIME = 2**53


class ItemVerdict(Struct, frozen=True):
    """ItemVerdict on an item: the code that is counted, a letter, and what is shown of it."""

    code: str
    value: Mapping[str, Any]


class RunLists:
    """Reads replays and test runs, which the history does not have; every call names its account.

    They begin by `Batches.add` and are fed, counted and cancelled like batches.
    """

    def __init__(self, client: Client, offloaded: OffloadedValues) -> None:
        self._client = client
        self._offloaded = offloaded
        self._first_ended = FirstMembers(client, batch_keys.ended_lists)

    async def get(
        self, account_id: str, list_id: str, kind: BatchKind, missing: type[NotFound]
    ) -> Batch:
        """Return a list of this kind. Raises `missing`, and Unavailable."""
        found = await self.find(account_id, list_id) if is_execution_id(list_id) else None
        if found is None or found.kind is not kind:
            raise missing
        return found

    async def find(self, account_id: str, list_id: str) -> Batch | None:
        """Return a list of any kind, None for an unknown one. Raises Unavailable."""
        key = batch_keys.batch(account_id, list_id)
        values = await self._client.send("HMGET", key, *HEAD_FIELDS)
        return parse_batch(account_id, list_id, values)

    async def page(
        self,
        account_id: str,
        kind: BatchKind,
        slug: str,
        *,
        limit: int,
        cursor: str | None = None,
    ) -> BatchPage:
        """Return at most `limit` lists, newest first. Raises InvalidCursor or Unavailable.

        `slug` is the workflow of test runs.
        """
        after: Position | None = None if cursor is None else parse_cursor(cursor)
        key = batch_keys.listed(kind, account_id, slug)
        members = await read_members(self._client, key, after, limit + 1)
        some = members[:limit]
        read = await asyncio.gather(*(self.find(account_id, each.id) for each in some))
        next_cursor = make_cursor(some[-1].at, some[-1].id) if len(members) > limit else None
        return BatchPage([each for each in read if each is not None], next_cursor)

    async def facts(self, account_id: str, list_id: str, *names: str) -> Mapping[str, bytes]:
        """Return further fields of a list, without those that it lacks. Raises Unavailable."""
        key = batch_keys.batch(account_id, list_id)
        values = await self._client.send("HMGET", key, *names)
        pairs = zip(names, values, strict=True)
        return {name: value for name, value in pairs if value is not None}

    async def value(self, account_id: str, list_id: str, name: str) -> Any:
        """Return a further packed value of a list, None without it.

        Raises FileNotFoundError where its object is gone, StorageFailed or Unavailable.
        """
        found = (await self.facts(account_id, list_id, name)).get(name)
        if found is None:
            return None
        return unpack(await self._offloaded.open_value(account_id, list_id, found))

    async def verdict_codes(self, account_id: str, list_id: str) -> str:
        """Return a code per item, `NO_VERDICT` for those without one. Raises Unavailable.

        It is empty before the first verdict.
        """
        found = await self.facts(account_id, list_id, "verdicts")
        return found.get("verdicts", b"").decode()

    async def verdicts(
        self, account_id: str, list_id: str, indexes: Collection[int]
    ) -> dict[int, Mapping[str, Any]]:
        """Return the verdicts on record of those items that have one.

        Raises StorageFailed or Unavailable. One whose object is gone is left out.
        """
        names = [f"v{index}" for index in indexes]
        found = await self.facts(account_id, list_id, *names) if names else {}

        async def read(data: bytes) -> Mapping[str, Any] | None:
            try:
                packed = await self._offloaded.open_value(account_id, list_id, data)
            except FileNotFoundError:
                return None
            verdict: Mapping[str, Any] = unpack(packed)
            return verdict

        verdicts: dict[int, Mapping[str, Any]] = {}
        for first in range(0, len(names), READ_AT_ONCE):
            some = [each for each in names[first : first + READ_AT_ONCE] if each in found]
            values = await asyncio.gather(*(read(found[each]) for each in some))
            pairs = zip(some, values, strict=True)
            verdicts |= {int(name[1:]): value for name, value in pairs if value is not None}
        return verdicts

    async def record_verdicts(
        self, account_id: str, list_id: str, verdicts: Mapping[int, ItemVerdict]
    ) -> str:
        """Record verdicts on items that have none, and return the codes of all items.

        The codes are empty for a list that is gone. Raises StorageFailed, StoreFull or Unavailable.
        """
        now, words, has_objects = int(time.time() * 1000), [], False
        for index, verdict in verdicts.items():
            packed = pack(dict(verdict.value))
            if len(packed) > SMALL_BYTES:
                name = make_seed_name(now, FIRST_OBJECT + index, len(packed))
                await self._offloaded.put(account_id, list_id, name, packed)
                packed, has_objects = pack_name(name), True
            words += [index, verdict.code, packed]
        codes: bytes = await self._client.call(
            SCRIPTS["record_verdicts"],
            batch=batch_keys.batch(account_id, list_id),
            has_objects="1" if has_objects else None,
            verdicts=words,
        )
        return codes.decode()

    async def note(self, account_id: str, list_id: str, name: str) -> None:
        """Set a further field of a list that is there to 1. Raises Unavailable."""
        key = batch_keys.batch(account_id, list_id)
        if await self._client.send("HEXISTS", key, "status"):
            await self._client.send("HSET", key, name, "1")

    async def drop(self, account_id: str, list_id: str, *names: str) -> None:
        """Remove further values that are not needed any more; large ones go with the list."""
        await self._client.send("HDEL", batch_keys.batch(account_id, list_id), *names)

    async def prune(self, ended_before_ms: int) -> list[str]:
        """Remove a bounded number of lists that were over before a time (ms).

        Return the references of those with objects. Raises Unavailable.
        """
        old = await self._first_ended.due_members(ended_before_ms, PRUNED_AT_ONCE, ROTATION_SECONDS)
        verdicts = [await self.remove(each, ended_before_ms) for each in old]
        pairs = zip(old, verdicts, strict=True)
        return [name for name, verdict in pairs if verdict == REMOVED_WITH_OBJECTS]

    async def ended(self, partition: int, before_ms: int, count: int, skipped: int) -> list[str]:
        """Return references of lists that were over before a time, after some first ones."""
        names = await self._client.send(
            *("ZRANGE", batch_keys.ended_lists(partition), "-inf", before_ms, "BYSCORE"),
            *("LIMIT", skipped, count),
        )
        return [name.decode() for name in names]

    async def remove(self, reference: str, ended_before_ms: int) -> int:
        """Remove a list that was over before a time (ms); return what `remove_ended_batch` does.

        Raises Unavailable.
        """
        account_id, list_id = keyspace.parse_reference(reference)
        partition = partition_of(account_id)
        found = await self.find(account_id, list_id)
        if found is not None and (found.completed_at or END_OF_TIME) >= ended_before_ms:
            return 0
        kind, slug = (BatchKind.REPLAY, "") if found is None else (found.kind, found.slug)
        removed = await self._client.call(
            SCRIPTS["remove_ended_batch"],
            batch=batch_keys.batch(account_id, list_id),
            batches=batch_keys.listed(kind, account_id, slug),
            listed=batch_keys.ended_lists(partition),
            open_batches=batch_keys.open_batches(account_id),
            delivery=keyspace.delivery(account_id, list_id),
            newest_forgotten=keyspace.newest_forgotten(partition, kind.value),
            id=list_id,
            reference=reference,
            last_retry="",
        )
        return int(removed)
