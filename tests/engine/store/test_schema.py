"""Schema version of the store."""

import pytest
import redis

from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from engine.store.redis.address import RedisAddress
from engine.store.redis.installation import FIRST_SCHEMA, SCHEMA, find_marker
from engine.store.redis.scripts import SCRIPTS


async def test_it_is_raised_once_and_never_lowered(
    store: Store, redis_cleaner: redis.Redis
) -> None:
    before = redis_cleaner.hgetall(keyspace.installation())
    redis_cleaner.hset(keyspace.installation(), "schema", FIRST_SCHEMA)

    assert await store.schema.read() == FIRST_SCHEMA
    assert [await store.schema.raise_to_newest() for _ in range(2)] == [SCHEMA, SCHEMA]

    assert await store.schema.read() == SCHEMA
    assert redis_cleaner.hgetall(keyspace.installation()) == before


@pytest.mark.parametrize(("stored", "raised"), [("", 0), ("1", 2), ("2", 2), ("3", 3)])
async def test_the_script_leaves_what_is_newer_or_no_installation(
    stored: str, raised: int, store: Store
) -> None:
    key = keyspace.accounts(0)
    if stored:
        await store.client.send("HSET", key, "schema", stored)

    reply = await store.client.call(SCRIPTS["raise_schema"], installation=key, schema=2)

    assert reply == raised
    left = await store.client.send("HGET", key, "schema")
    assert left == (str(raised).encode() if stored else None)


async def test_a_marker_is_found_without_a_store(
    settings: Settings, redis_cleaner: redis.Redis
) -> None:
    marked = await find_marker(RedisAddress.of_state(settings))
    redis_cleaner.flushall()

    assert marked is not None
    assert marked.schema == SCHEMA
    assert await find_marker(RedisAddress.of_state(settings)) is None
