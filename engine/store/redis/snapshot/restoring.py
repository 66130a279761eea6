"""Marker of a Redis that is being restored, so that no process serves half an installation."""

from typing import Any

from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.installation import RESTORING, UNKNOWN_SCHEMA


class NotEmpty(Exception):
    """The Redis has keys already; the message says so, and what to do."""


async def begin_restore(client: Client) -> None:
    """Mark an empty Redis as one that is being restored. Raises NotEmpty or Unavailable."""
    key = keyspace.installation()
    count = sum(await client.send_to_all("DBSIZE"))
    if count and await client.send("HEXISTS", key, RESTORING):
        raise NotEmpty(
            "The Redis has a part of an installation, since a restore was interrupted: "
            "empty it (FLUSHDB) and restore again."
        )
    if count:
        raise NotEmpty(f"The Redis is not empty ({count:,} keys): restore into an empty one.")
    # A release that does not know the field refuses the schema.
    await client.send("HSET", key, "schema", UNKNOWN_SCHEMA, RESTORING, 1)


async def finish_restore(client: Client, marker: dict[bytes, bytes]) -> None:
    """Replace the mark by the marker of the restored installation. Raises Unavailable."""
    key = keyspace.installation()
    fields: list[Any] = [word for pair in marker.items() for word in pair]
    await client.send("HSET", key, *fields)
    await client.send("HDEL", key, RESTORING)
