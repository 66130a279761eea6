"""Search for the children of an account that run, which no list of executions has."""

import asyncio

from engine.executions.batches import ItemStatus
from engine.ids.executions import child_execution_id
from engine.store.children.keys import group_key, open_children
from engine.store.children.records import state_fields
from engine.store.redis.client import Client

MOST_GROUPS = 100
"""Groups of one account in one search: those whose next look is due first."""


async def running_children(client: Client, account_id: str) -> list[str]:
    """Return the ids of the children that run in a bounded number of the account's open groups."""
    members = await client.send("ZRANGE", open_children(account_id), 0, MOST_GROUPS - 1)
    if not members:
        return []
    found = await asyncio.gather(
        *(_running(client, account_id, member.decode()) for member in members)
    )
    return [each for ids in found for each in ids]


async def _running(client: Client, account_id: str, member: str) -> list[str]:
    key = group_key(account_id, member)
    node, size = await client.send("HMGET", key, "node", "size")
    if node is None:
        return []
    blocks = await client.send("HMGET", key, *state_fields(int(size)))
    states = b"".join(each or b"" for each in blocks).decode()
    parent_id, node_id = member.rpartition("/")[0], node.decode()
    return [
        child_execution_id(parent_id, node_id, index)
        for index, code in enumerate(states)
        if code == ItemStatus.PROCESSING.code
    ]
