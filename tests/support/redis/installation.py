"""Marker of the tests' installation, which their servers have."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from redis.cluster import RedisCluster

from engine.access.sealing import Sealer
from engine.ids import partitions
from engine.store.executions import claim
from engine.store.redis import keyspace
from engine.store.redis.installation import SCHEMA

SECRET_KEY = "of-the-tests-" * 3
MARKER: dict[str, str | int] = {
    "ids": " ".join(Sealer.from_secret_key(SECRET_KEY).installation_ids),
    "schema": SCHEMA,
    "partitions": partitions.DEFAULT_COUNT,
    "created": 1_750_000_000_000,
}


@contextlib.contextmanager
def process_with(count: int) -> Iterator[None]:
    """Let this process have learned a number of partitions, 0: none yet, for as long as it lasts.

    Stores that were opened before know the keys of another number.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitions, "_count", count)
        forget_keys()
        try:
            yield
        finally:
            forget_keys()


def forget_keys() -> None:
    """Forget the names of keys that are kept by account."""
    keyspace.account_tag.cache_clear()
    claim.account_keys.cache_clear()


def mark(client: redis.Redis, *, partition_count: int = partitions.DEFAULT_COUNT) -> None:
    """Mark a server as the tests' installation."""
    marker = {**MARKER, "partitions": partition_count}
    client.hset(keyspace.installation(), mapping=marker)


def mark_cluster(client: Any) -> None:
    """Mark a cluster by a client of redis-py: once, and in each partition."""
    for key in marker_keys(client):
        client.hset(key, mapping=dict(MARKER))


def marker_keys(client: Any) -> list[str]:
    """Return the keys of markers: a cluster has one in each partition besides."""
    numbers = range(int(MARKER["partitions"])) if isinstance(client, RedisCluster) else ()
    return [keyspace.installation(), *(f"{{hr{number:02d}}}:installation" for number in numbers)]


def empty(client: redis.Redis, *, is_marked: bool = True) -> None:
    """Remove all data of a server, and mark it again by default."""
    with client.pipeline() as transaction:
        transaction.flushall()
        if is_marked:
            mark(transaction)
        transaction.execute()
