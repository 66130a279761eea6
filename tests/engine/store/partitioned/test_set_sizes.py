"""Sizes of sorted sets over many partitions."""

import redis

from engine.settings import Settings
from engine.store import Store
from engine.store.partitioned.set_sizes import SetSizes
from engine.store.redis import keyspace
from tests.support.redis.installation import mark, process_with


async def test_few_sets_are_read_anew_each_time(store: Store) -> None:
    sizes = SetSizes(store.client, keyspace.due, period_seconds=1e9)
    found = [await sizes.read()]
    await store.client.send("ZADD", keyspace.due(3), 7, "a", 9, "b")
    await store.client.send("ZADD", keyspace.due(5), 5, "c")
    found.append(await sizes.read())
    await store.client.send("ZREM", keyspace.due(5), "c")
    found.append(await sizes.read())

    assert found == [(0, None), (3, 5), (2, 7)]


async def test_many_sets_are_read_in_turn(
    redis_url: str, redis_cleaner: redis.Redis, settings: Settings
) -> None:
    mark(redis_cleaner, partition_count=256)
    with process_with(256):
        store = Store.open(settings)
        sizes = SetSizes(store.client, keyspace.due, period_seconds=1e9)
        await store.client.send("ZADD", keyspace.due(200), 7, "a")
        first = await sizes.read()
        await store.client.send("DEL", keyspace.due(200))
        redis_cleaner.config_resetstat()

        found = [await sizes.read() for _ in range(16)]

        reads = redis_cleaner.info("commandstats")["cmdstat_zcard"]["calls"]
        await store.close()
    assert (first, found[0], found[-1]) == ((1, 7), (1, 7), (0, None))
    assert reads == 256
