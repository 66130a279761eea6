"""Marker of the tests' installation, which their servers have."""

from typing import Any

import redis

from engine.access.sealing import Sealer
from engine.ids.partitions import PARTITIONS
from engine.store.redis import keyspace
from engine.store.redis.installation import SCHEMA

SECRET_KEY = "of-the-tests-" * 3
MARKER: dict[str, str | int] = {
    "ids": " ".join(Sealer.from_secret_key(SECRET_KEY).installation_ids),
    "schema": SCHEMA,
    "partitions": PARTITIONS,
    "created": 1_750_000_000_000,
}


def mark(client: redis.Redis) -> None:
    """Mark a server as the tests' installation."""
    client.hset(keyspace.installation(), mapping=dict(MARKER))


def mark_cluster(client: Any) -> None:
    """Mark a cluster by a client of redis-py: once, and in each partition."""
    mark(client)
    for number in range(int(MARKER["partitions"])):
        client.hset(f"{{hr{number:02d}}}:installation", mapping=dict(MARKER))


def empty(client: redis.Redis, *, is_marked: bool = True) -> None:
    """Remove all data of a server, and mark it again by default."""
    with client.pipeline() as transaction:
        transaction.flushall()
        if is_marked:
            mark(transaction)
        transaction.execute()
