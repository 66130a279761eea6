"""Inputs of the children of a group: shared ones and items, in the record or as objects."""

import asyncio
from bisect import bisect_right
from collections.abc import Collection, Mapping
from typing import Any

from engine.process.lru_cache import LruCache
from engine.store.batches.chunks import ChunkPacker
from engine.store.children.keys import GroupRef, children
from engine.store.children.records import NewGroup
from engine.store.executions.offload import OffloadedValues, is_large
from engine.store.executions.record_fields import pack_name, parse_name
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack, unpack

GROUPS_KEPT = 256
CHUNKS_BYTES = 8_388_608
"""Total packed size of the cached chunks of items."""


class GroupItems:
    """Writes the inputs of new groups, and reads those of children.

    All chunks of a group are objects of the parent if they are large together.
    """

    def __init__(self, client: Client, offloaded: OffloadedValues) -> None:
        self._client = client
        self._offloaded = offloaded
        self._firsts: LruCache[str, list[int]] = LruCache(GROUPS_KEPT)
        self._chunks: LruCache[tuple[str, int], list[bytes]] = LruCache(GROUPS_KEPT, CHUNKS_BYTES)

    async def store(self, new: NewGroup) -> dict[str, Any]:
        """Return the fields of the inputs; store large ones first. Raises StorageFailed."""
        packer = ChunkPacker()
        for item in new.items:
            packer.add_packed(pack(item))
        chunks = packer.finish()
        values = {f"c{number}": each.packed for number, each in enumerate(chunks)}
        shared = pack(dict(new.shared))
        large = values if is_large(sum(map(len, values.values()))) else {}
        large |= {"shared": shared} if is_large(len(shared)) else {}
        fields: dict[str, Any] = {"shared": shared, **values}
        fields |= await self._store_objects(new, large)
        if chunks:
            fields["chunks"] = ",".join(str(each.first) for each in chunks)
        return fields

    async def _store_objects(self, new: NewGroup, large: Mapping[str, bytes]) -> dict[str, bytes]:
        """Store values as objects of the parent, and return their names as records have them."""
        ids, node = (new.ref.account_id, new.ref.parent_id), new.ref.node
        names = {
            field: f"{new.object_prefix}.{node}.g{number}.{len(value)}"
            for number, (field, value) in enumerate(large.items())
        }
        put = self._offloaded.put
        await asyncio.gather(*(put(*ids, names[field], large[field]) for field in large))
        return {field: pack_name(name) for field, name in names.items()}

    async def shared(self, ref: GroupRef) -> Mapping[str, Any]:
        """Return the inputs of all children. Raises FileNotFoundError or StorageFailed."""
        value = await self._client.send("HGET", _key(ref), "shared")
        shared: Mapping[str, Any] = unpack(await self._read(ref, value)) if value else {}
        return shared

    async def read(self, ref: GroupRef, indexes: Collection[int]) -> dict[int, Any]:
        """Return the items of these children. Raises FileNotFoundError or StorageFailed.

        Chunks are cached, since the children of one begin in several lots.
        """
        firsts = self._firsts.get(_key(ref))
        if firsts is None:
            text = await self._client.send("HGET", _key(ref), "chunks")
            firsts = [int(each) for each in (text or b"").split(b",") if each]
            self._firsts.put(_key(ref), firsts)
        found: dict[int, Any] = {}
        for index in indexes if firsts else ():
            number = bisect_right(firsts, index) - 1
            chunk = self._chunks.get((_key(ref), number)) or await self._read_chunk(ref, number)
            if index - firsts[number] < len(chunk):
                found[index] = unpack(chunk[index - firsts[number]])
        return found

    async def _read_chunk(self, ref: GroupRef, number: int) -> list[bytes]:
        packed = await self._read(ref, await self._client.send("HGET", _key(ref), f"c{number}"))
        chunk: list[bytes] = unpack(packed)
        self._chunks.put((_key(ref), number), chunk, len(packed))
        return chunk

    async def _read(self, ref: GroupRef, value: bytes | None) -> bytes:
        if value is None:
            raise FileNotFoundError
        name = parse_name(value)
        return value if name is None else await self._offloaded.read(*_owner(ref), name)


def _key(ref: GroupRef) -> str:
    return children(ref.account_id, ref.parent_id, ref.node)


def _owner(ref: GroupRef) -> tuple[str, str]:
    return ref.account_id, ref.parent_id
