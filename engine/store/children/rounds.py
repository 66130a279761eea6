"""Groups that grow by rounds: each child has a target and inputs of its own."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct

from engine.executions.children import MAX_CHILDREN, MAX_RUNNING
from engine.store.children.keys import GroupKeys, GroupRef, children
from engine.store.children.records import (
    CalleeGone,
    GroupOpened,
    GroupTarget,
    OpenVerdict,
    ParentEnded,
    TooManyChildren,
)
from engine.store.executions.offload import OffloadedValues, is_large
from engine.store.executions.public_runs import keep_called_version
from engine.store.executions.record_fields import pack_name, parse_name
from engine.store.formats import FIELD, Format
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack, unpack
from engine.store.redis.scripts import SCRIPTS

HELD: Mapping[str, Any] = {"feeder": "rounds", "feeder_until": 2**53}
"""Lease without an end, by which release 0.2.0 leaves the children to others."""


class RoundItem(Struct, frozen=True, kw_only=True):
    """Child of a round: the graph that it runs, and its inputs."""

    target: GroupTarget
    inputs: Mapping[str, Any]


class GroupOpening(Struct, frozen=True, kw_only=True):
    """Facts of a group that its first round records."""

    node_id: str
    target: GroupTarget
    """Graph of the parent's node: its parts are in it."""
    depth: int
    """Depth of the children as records have it."""
    shared: Mapping[str, Any]
    """Values that all rounds read."""
    calls: Sequence[GroupTarget] = ()
    """Workflows whose versions are kept while the parent is on record."""
    former: str = ""
    """Failed parent whose children are kept; empty: all begin anew."""

    def record_fields(self) -> dict[str, Any]:
        """Return the first fields of the record but `shared`."""
        fields = {
            FIELD: Format.CHILDREN.known,
            "grows": "1",
            "node": self.node_id,
            "depth": self.depth,
            "concurrency": MAX_RUNNING,
            "on_error": "null",
            "former": self.former,
            **HELD,
            **self.target.record_fields(),
        }
        return {name: value for name, value in fields.items() if value != ""}


class NewRound(Struct, frozen=True, kw_only=True):
    """Children to add to a group with `expected` children."""

    ref: GroupRef
    expected: int
    items: Sequence[RoundItem]
    opening: GroupOpening | None = None
    """Present for the first round."""
    object_prefix: str = ""
    """Beginning of the names of objects, `Lease.object_prefix`."""


class ChildCost(Struct, frozen=True):
    """Credits and time of a child that has ended, with its own children."""

    credits: int = 0
    duration_ms: int = 0


class GroupRounds:
    """Adds rounds to groups, and reads the items and costs of their children."""

    def __init__(self, client: Client, offloaded: OffloadedValues) -> None:
        self._client = client
        self._offloaded = offloaded

    async def append(self, new: NewRound) -> OpenVerdict:
        """Add a round, once: a group of another size than expected stays as it is.

        Raises StoreFull, StorageFailed or Unavailable.
        """
        ref, opening = new.ref, new.opening
        calls = () if opening is None else opening.calls
        for target in calls:
            if target.owner_id and not await keep_called_version(
                self._client, target.owner_id, target.slug, target.version
            ):
                return CalleeGone()
        own = [each for each in calls if not each.owner_id]
        items = [await self._pack(new, number) for number in range(len(new.items))]
        fields: dict[str, Any] = {}
        if opening is not None:
            shared = await self._keep(new, "shared", pack(dict(opening.shared)))
            fields = {**opening.record_fields(), "root": ref.root_id, "shared": shared}
        values = [*items, *(each for each in fields.values() if isinstance(each, bytes))]
        keys = GroupKeys.of(ref)
        reply = await self._client.call(
            SCRIPTS["append_children"],
            group=keys.group,
            parent=keys.parent,
            root=keys.root,
            open_children=keys.open_children,
            children_due=keys.children_due,
            workflows=[keyspace.workflow(ref.account_id, each.slug) for each in own],
            account_id=ref.account_id,
            member=ref.member,
            node=ref.node,
            expected=new.expected,
            most_children=MAX_CHILDREN,
            has_objects="1" if any(parse_name(each) is not None for each in values) else None,
            kept=",".join(f"{each.slug}@{each.version}" for each in own) or None,
            versions=[each.version for each in own],
            fields=[word for pair in fields.items() for word in pair],
            items=items,
        )
        match reply:
            case [b"ok", size, created]:
                return GroupOpened(int(size), int(created))
            case [b"too_many", count]:
                return TooManyChildren(int(count))
            case [b"gone", _]:
                return CalleeGone()
        return ParentEnded()

    async def _pack(self, new: NewRound, number: int) -> bytes:
        item = new.items[number]
        packed = pack({"target": item.target.record_fields(), "inputs": dict(item.inputs)})
        return await self._keep(new, f"i{new.expected + number}", packed)

    async def _keep(self, new: NewRound, field: str, packed: bytes) -> bytes:
        """Return a value as the record has it; a large one becomes an object of the parent."""
        if not is_large(len(packed)):
            return packed
        name = f"{new.object_prefix}.{new.ref.node}.{field}.{len(packed)}"
        await self._offloaded.put(new.ref.account_id, new.ref.parent_id, name, packed)
        return pack_name(name)

    async def read(self, ref: GroupRef, indexes: Collection[int]) -> dict[int, RoundItem]:
        """Return the items of these children. Raises FileNotFoundError or StorageFailed."""
        values = await self._read_fields(ref, [f"i{index}" for index in indexes])
        packed = await asyncio.gather(*(self._open(ref, value) for value in values))
        found = {}
        for index, each in zip(indexes, packed, strict=True):
            fields = unpack(each)
            target = GroupTarget.of_fields(fields["target"])
            found[index] = RoundItem(target=target, inputs=fields["inputs"])
        return found

    async def costs(self, ref: GroupRef, size: int) -> list[ChildCost]:
        """Return the costs of all children, in the order of their indexes.

        Children of pure nodes have none, nor those that a worker of release 0.2.0 has ended.
        """
        values = await self._read_fields(ref, [f"m{index}" for index in range(size)])
        return [
            ChildCost(*(int(part) for part in value.split(b":"))) if value else ChildCost()
            for value in values
        ]

    async def _read_fields(self, ref: GroupRef, names: Sequence[str]) -> Sequence[bytes | None]:
        if not names:
            return ()
        key = children(ref.account_id, ref.parent_id, ref.node)
        values: Sequence[bytes | None] = await self._client.send("HMGET", key, *names)
        return values

    async def _open(self, ref: GroupRef, value: bytes | None) -> bytes:
        if value is None:
            raise FileNotFoundError
        name = parse_name(value)
        if name is None:
            return value
        return await self._offloaded.read(ref.account_id, ref.parent_id, name)
