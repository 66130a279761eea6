"""Executions of an account that have not ended, children left out: active ones and waiting ones.

An execution that only waits is not active. It is in the set of those that have waited from before
it leaves the active ones until it ends. So a reader of both sets, in this order, finds all.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.waits import keys as wait_keys


def unfinished_sets(account_id: str) -> tuple[str, str]:
    """Return the keys of both sets, in the order in which they are read."""
    return keyspace.active(account_id), wait_keys.waited(account_id)


async def unfinished_ids(client: Client, account_id: str) -> set[str]:
    """Return the ids of all of them."""
    found: set[str] = set()
    for key in unfinished_sets(account_id):
        found |= {each.decode() for each in await client.send("SMEMBERS", key)}
    return found


async def scan_unfinished(
    client: Client, account_id: str, count: int
) -> AsyncIterator[Sequence[str]]:
    """Yield their ids in pages of about `count`. An id may be repeated."""
    for key in unfinished_sets(account_id):
        cursor = b""
        while cursor != b"0":
            cursor, ids = await client.send("SSCAN", key, cursor or b"0", "COUNT", count)
            yield [each.decode() for each in ids]


async def has_unfinished(client: Client, account_id: str) -> bool:
    """Return whether there are some."""
    keys = unfinished_sets(account_id)
    return any(await asyncio.gather(*(client.send("SCARD", key) for key in keys)))
