"""States of the children of an execution's nodes, a letter each."""

import asyncio
from collections.abc import Mapping

from engine.store.children.keys import children
from engine.store.children.records import state_fields
from engine.store.redis.client import Client

STATES = "children"
"""Field of an archived parent, before the index of a node: the states of the node's children."""


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
