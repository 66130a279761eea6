"""Values that an execution begins with: its media are held, large ones become its own objects."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from engine.errors import AssetNotFound, EngineError
from engine.services.runs.run_inputs import AssetUse
from engine.store import Store
from engine.store.executions.offload import (
    is_large,
    make_seed_name,
    object_of,
    part_of,
    size_of,
)
from engine.store.redis.record_packing import unpack

RECORD_BYTES = 1_048_576
"""Once this many bytes go on record, further values become objects."""
SMALL_BYTES = 1_024
"""Size up to which values always go on record."""


class SeedValues:
    """Collects the values of one execution before its acceptance.

    Objects of other executions are copied, since they are removed with those.
    """

    def __init__(self, store: Store, use: AssetUse, gone: EngineError) -> None:
        """Create the values; `gone` is raised when a value to copy is not there any more."""
        self._store = store
        self._use = use
        self._gone = gone
        self._now = int(time.time() * 1000)
        self._count = 0
        self._on_record = 0
        self._new: dict[str, bytes] = {}
        self._copies: dict[tuple[str, str], tuple[str, list[str]]] = {}
        self._assets: set[str] = set()

    @property
    def store_objects(self) -> Callable[[], Awaitable[None]] | None:
        """Function that stores the objects; None: there are none."""
        return self._store_objects if self._new or self._copies else None

    def add_value(self, packed: bytes) -> bytes | str:
        """Return a packed value as rows have it: its bytes, or the name of a new object."""
        size = len(packed)
        if not is_large(size) and (size <= SMALL_BYTES or self._on_record + size <= RECORD_BYTES):
            self._on_record += size
            return packed
        name = self._name(size)
        self._new[name] = packed
        return name

    def add_copy(self, source_id: str, name: str, *, is_value: bool = True) -> str:
        """Return the new name of an object, or of a part of one, of an execution.

        The assets that a value names are held; `is_value` is False for others.
        """
        source = object_of(name)
        if (source_id, source) not in self._copies:
            self._copies[source_id, source] = self._name(size_of(source)), []
        copied, parts = self._copies[source_id, source]
        parts += [name] if is_value else []
        return copied + name.removeprefix(source)

    def add_output(self, source_id: str, entry: bytes | str) -> bytes | str:
        """Return an output of an execution for a row, as `add_copy` or `add_value` does."""
        if isinstance(entry, str):
            return self.add_copy(source_id, entry)
        self.add_media(unpack(entry))
        return self.add_value(entry)

    def add_media(self, value: Any) -> None:
        """Add the account's assets to which links in a value lead."""
        self._assets |= set(self._use.media_service.linked_assets(value).values())

    async def hold_media(self) -> None:
        """Retain the added assets until the execution is removed, unless they are gone already."""
        held, self._assets = self._assets, set()
        await asyncio.gather(*(self._hold(each) for each in held))

    async def _hold(self, asset_id: str) -> None:
        account_id, execution_id = self._use.account_id, self._use.execution_id
        try:
            await self._store.assets.retain(account_id, asset_id, execution_id)
        except AssetNotFound:
            return

    async def _store_objects(self) -> None:
        offloaded, use = self._store.offloaded, self._use
        for name, data in self._new.items():
            await offloaded.put(use.account_id, use.execution_id, name, data)
        for (source_id, source), (name, parts) in self._copies.items():
            async with offloaded.room_for_copy(size_of(source)):
                await self._copy(source_id, source, name, parts)
        await self.hold_media()

    async def _copy(self, source_id: str, source: str, name: str, parts: list[str]) -> None:
        offloaded, use = self._store.offloaded, self._use
        try:
            data = await offloaded.read(use.account_id, source_id, source)
        except FileNotFoundError:
            raise self._gone from None
        await asyncio.to_thread(self._add_media_of_parts, data, parts)
        await offloaded.put(use.account_id, use.execution_id, name, data)

    def _add_media_of_parts(self, data: bytes, parts: list[str]) -> None:
        for part in parts:
            self.add_media(unpack(part_of(part, data)))

    def _name(self, size: int) -> str:
        self._count += 1
        return make_seed_name(self._now, self._count, size)
