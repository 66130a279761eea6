"""Chunks: the items of a batch, packed in lists of a bounded size, in the record or as objects."""

import asyncio
import contextlib
import time
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from engine.errors import StorageFailed
from engine.executions.batches import MAX_ITEMS
from engine.store.batches.batch_records import BatchRecords
from engine.store.batches.records import Chunk, NewItem
from engine.store.executions.inputs import NOT_STORED, STORE_SECONDS
from engine.store.executions.offload import OffloadedValues, is_large, make_seed_name
from engine.store.executions.record_fields import pack_name, parse_name
from engine.store.redis.record_packing import pack, unpack

MOST_BYTES = 1_048_576
"""Packed size after which no further chunk is read at once."""
FIRST_VALUE = MAX_ITEMS
"""Number of the first object that is no chunk."""
CHUNK_BYTES = 65_536
"""Size from which on the next item begins another chunk."""


class ChunkPacker:
    """Packs items in chunks, one after the other; a large item has a chunk of its own."""

    def __init__(self) -> None:
        self._chunks: list[Chunk] = []
        self._gathered: list[bytes] = []
        self._size = 0
        self._count = 0

    def add(self, item: NewItem) -> None:
        """Pack the next item."""
        self.add_packed(pack([dict(item.inputs), list(item.tags)]))

    def add_packed(self, packed: bytes) -> None:
        """Add the next item, which is packed."""
        if self._size + len(packed) > CHUNK_BYTES:
            self._end_chunk()
        self._gathered.append(packed)
        self._size += len(packed)
        self._count += 1

    def finish(self) -> list[Chunk]:
        """Return all chunks."""
        self._end_chunk()
        return self._chunks

    def _end_chunk(self) -> None:
        if self._gathered:
            first = self._count - len(self._gathered)
            self._chunks.append(Chunk(first, pack(self._gathered)))
            self._gathered, self._size = [], 0


def pack_chunks(items: Iterable[NewItem]) -> list[Chunk]:
    """Return all items in chunks."""
    packer = ChunkPacker()
    for item in items:
        packer.add(item)
    return packer.finish()


def unpack_chunk(chunk: Chunk, indexes: Collection[int]) -> dict[int, NewItem]:
    """Return those items of a chunk that have these indexes."""
    found = {}
    for index, packed in enumerate(unpack(chunk.packed), chunk.first):
        if index in indexes:
            inputs, tags = unpack(packed)
            found[index] = NewItem(inputs, tuple(tags))
    return found


class ItemChunks:
    """Writes the chunks of new batches, and reads items.

    All chunks of a batch are objects if they are large together, so that queued batches take
    little memory of Redis.
    """

    def __init__(self, records: BatchRecords, offloaded: OffloadedValues) -> None:
        self._records = records
        self._offloaded = offloaded

    async def store(
        self, account_id: str, batch_id: str, chunks: Sequence[Chunk]
    ) -> dict[str, Any]:
        """Return the fields of the chunks; store large ones first. Raises StorageFailed."""
        fields: dict[str, Any] = {"chunks": ",".join(str(each.first) for each in chunks)}
        if not is_large(sum(len(each.packed) for each in chunks)):
            return fields | {f"c{number}": each.packed for number, each in enumerate(chunks)}
        now = int(time.time() * 1000)
        names = [
            make_seed_name(now, number, len(each.packed)) for number, each in enumerate(chunks)
        ]
        await self._put((account_id, batch_id), names, chunks)
        return fields | {f"c{number}": pack_name(name) for number, name in enumerate(names)}

    async def store_values(
        self, account_id: str, batch_id: str, values: Mapping[str, bytes]
    ) -> dict[str, Any]:
        """Return the fields of further values; store large ones first. Raises StorageFailed."""
        fields: dict[str, Any] = dict(values)
        now = int(time.time() * 1000)
        for number, (field, packed) in enumerate(values.items(), FIRST_VALUE):
            if is_large(len(packed)):
                name = make_seed_name(now, number, len(packed))
                await self._put((account_id, batch_id), [name], [Chunk(0, packed)])
                fields |= {field: pack_name(name), "has_objects": "1"}
        return fields

    async def _put(
        self, ids: tuple[str, str], names: Sequence[str], chunks: Sequence[Chunk]
    ) -> None:
        put = self._offloaded.put
        writes = (
            put(*ids, name, each.packed, seconds=STORE_SECONDS)
            for name, each in zip(names, chunks, strict=True)
        )
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        failures = [each for each in outcomes if isinstance(each, BaseException)]
        if failures:
            raise StorageFailed(NOT_STORED) if _is_storage(failures[0]) else failures[0]

    async def read(
        self, account_id: str, batch_id: str, indexes: Collection[int]
    ) -> dict[int, NewItem]:
        """Return the items with these indexes. Raises FileNotFoundError or StorageFailed."""
        found: dict[int, NewItem] = {}
        for first, value in await self._find(account_id, batch_id, indexes):
            packed = await self._read_chunk(account_id, batch_id, value)
            found |= unpack_chunk(Chunk(first, packed), indexes)
        return found

    async def read_some(
        self, account_id: str, batch_id: str, indexes: Collection[int]
    ) -> dict[int, NewItem | None]:
        """Return the first of these items, of a bounded size; None for one that is gone.

        Raises StorageFailed.
        """
        found: dict[int, NewItem | None] = {}
        size = 0
        chunks = await self._find(account_id, batch_id, indexes)
        starts = [first for first, _ in chunks] + [MAX_ITEMS]
        for number, (first, value) in enumerate(chunks):
            if size > MOST_BYTES:
                return found
            found |= dict.fromkeys(i for i in indexes if first <= i < starts[number + 1])
            with contextlib.suppress(FileNotFoundError):
                packed = await self._read_chunk(account_id, batch_id, value)
                size += len(packed)
                found |= unpack_chunk(Chunk(first, packed), indexes)
        return found or dict.fromkeys(indexes)

    async def _find(
        self, account_id: str, batch_id: str, indexes: Collection[int]
    ) -> list[tuple[int, bytes]]:
        """Return the chunks of items, in order: index of the first item, and value on record."""
        [text] = await self._records.fields(account_id, batch_id, "chunks")
        firsts = [int(each) for each in (text or b"").split(b",") if each]
        numbers = sorted({bisect_right(firsts, index) - 1 for index in indexes if firsts})
        if not numbers:
            return []
        names = (f"c{number}" for number in numbers)
        _, *values = await self._records.fields(account_id, batch_id, "status", *names)
        pairs = zip(numbers, values, strict=True)
        return [(firsts[number], value) for number, value in pairs if value is not None]

    async def _read_chunk(self, account_id: str, batch_id: str, value: bytes) -> bytes:
        name = parse_name(value)
        return value if name is None else await self._offloaded.read(account_id, batch_id, name)

    async def remove(self, account_id: str, batch_id: str) -> None:
        """Remove the objects of a batch. Raises StorageFailed."""
        await self._offloaded.remove(account_id, batch_id)


def _is_storage(failure: BaseException) -> bool:
    return isinstance(failure, StorageFailed)
