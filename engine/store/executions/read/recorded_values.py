"""Values of nodes on record, large ones read from the blob store."""

import asyncio
from collections.abc import Container, Mapping
from typing import Any

from engine.errors import ResultUnreadable, StorageFailed
from engine.nodes.support.base import Outputs
from engine.store.executions.offload import (
    OffloadedValues,
    is_large,
    object_of,
    part_of,
    size_of,
)
from engine.store.executions.read.results import BUSY, ReserveMemory
from engine.store.executions.record_fields import parse_name, parse_rows
from engine.store.redis.record_packing import unpack

UNREADABLE = "Values of this execution cannot be read right now"
INPUTS, RESULT, DRAFT = "inputs", "result", "draft"
"""Fields of a record with a value of the whole execution."""


class RecordedValues:
    """Reads values out of one execution's record; removed ones are left out."""

    def __init__(
        self,
        offloaded: OffloadedValues,
        account_id: str,
        execution_id: str,
        record: Mapping[str, bytes],
        reserve: ReserveMemory | None = None,
    ) -> None:
        self._offloaded = offloaded
        self._ids = account_id, execution_id
        self._record = record
        self._reserve = reserve
        self._reserved = 0
        self.bytes = 0
        """Packed size of the values that were read."""
        self.sizes: dict[int, int] = {}
        """Packed size of the outputs that were read, by node."""

    async def outputs(self, wanted: Container[int]) -> dict[int, Outputs]:
        """Return the recorded outputs of these nodes. Raises ResultUnreadable."""
        all_rows = parse_rows(self._record).values()
        rows = {row.index: row.outputs for row in all_rows if row.index in wanted}
        small = {index: unpack(each) for index, each in rows.items() if isinstance(each, bytes)}
        names = {index: each for index, each in rows.items() if isinstance(each, str)}
        self.bytes += sum(len(each) for each in rows.values() if each is not None)
        self.sizes |= {index: len(each) for index, each in rows.items() if isinstance(each, bytes)}
        self.sizes |= {index: size_of(name) for index, name in names.items()}
        objects = await self._objects({object_of(name) for name in names.values()})
        return small | {
            index: unpack(part_of(name, objects[object_of(name)]))
            for index, name in names.items()
            if object_of(name) in objects
        }

    async def value(self, field: str) -> Any:
        """Return the value of such a field, None for none. Raises ResultUnreadable."""
        packed = self._record.get(field)
        name = parse_name(packed)
        if name is not None:
            packed = (await self._objects({name})).get(name)
        self.bytes += len(packed or b"")
        return unpack(packed) if packed else None

    async def make_room(self, size: int) -> None:
        """Wait for memory for values of this size, of which some are repeated.

        Raises ResultUnreadable.
        """
        self.bytes = max(self.bytes, size)
        if self._reserve is None or not is_large(size) or size <= self._reserved:
            return
        self._reserved = size
        try:
            await self._reserve(size)
        except TimeoutError:
            raise ResultUnreadable(self._ids[1], BUSY) from None

    async def _objects(self, names: set[str]) -> dict[str, bytes]:
        """Return the objects that are there, once there is memory for all of them."""
        _, execution_id = self._ids
        try:
            if names and self._reserve is not None:
                self._reserved += sum(map(size_of, names))
                await self._reserve(self._reserved)
            objects = await asyncio.gather(*(self._read(name) for name in names))
        except TimeoutError:
            raise ResultUnreadable(execution_id, BUSY) from None
        except StorageFailed:
            raise ResultUnreadable(execution_id, UNREADABLE) from None
        return {name: data for name, data in zip(names, objects, strict=True) if data is not None}

    async def _read(self, name: str) -> bytes | None:
        try:
            return await self._offloaded.read(*self._ids, name)
        except FileNotFoundError:
            return None
