"""States of the children of an execution's nodes, a letter each."""

import asyncio
from collections.abc import Mapping

from engine.store.children.keys import children
from engine.store.children.records import state_fields
from engine.store.redis.client import Client

GROUPS = "groups"
"""Field of a parent's record: `<node index>=<number of children>` of each node, with commas."""
STATES = "children"
"""Field of an archived parent, before the index of a node: the states of the node's children."""


def parse_groups(field: bytes | None) -> dict[int, int]:
    """Return the number of children by the index of their node."""
    pairs = (each.split("=") for each in (field or b"").decode().split(",") if each)
    return {int(index): int(size) for index, size in pairs}


async def read_states(
    client: Client, account_id: str, parent_id: str, groups: Mapping[int, int]
) -> dict[int, bytes]:
    """Return the states of the children of these nodes, as far as Redis has them."""

    async def read(index: int, size: int) -> bytes:
        names = state_fields(size)
        if not names:
            return b""
        key = children(account_id, parent_id, index)
        return b"".join(each or b"" for each in await client.send("HMGET", key, *names))

    found = await asyncio.gather(*(read(*pair) for pair in groups.items()))
    return {index: states for index, states in zip(groups, found, strict=True) if states}
