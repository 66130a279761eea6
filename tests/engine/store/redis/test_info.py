"""Facts that Redis reports of itself."""

import pytest

from engine.store import Store
from engine.store.redis.info import RedisMemory, parse_memory, read_info, read_memory


async def test_named_sections_are_read(store: Store) -> None:
    info = await read_info(store.client, "server")

    assert info["redis_version"]
    assert "used_memory" not in info


async def test_the_limit_is_the_one_that_redis_has(store: Store) -> None:
    await store.client.send("CONFIG", "SET", "maxmemory", 1 << 40)

    memory = await read_memory(store.client)

    await store.client.send("CONFIG", "SET", "maxmemory", 0)
    assert memory.limit == 1 << 40
    assert 0 < memory.used < memory.limit


def test_buffers_that_do_not_count_against_the_limit_are_subtracted() -> None:
    fields = {"used_memory": "1000", "mem_not_counted_for_evict": "100", "maxmemory": "2000"}

    assert parse_memory(fields) == RedisMemory(used=900, limit=2000)
    assert parse_memory({}) == RedisMemory(used=0, limit=0)


@pytest.mark.parametrize(
    ("used", "limit", "is_nearly_full"), [(849, 1000, False), (850, 1000, True), (850, 0, False)]
)
def test_redis_is_nearly_full_from_a_share_of_its_limit(
    used: int, limit: int, is_nearly_full: bool
) -> None:
    assert RedisMemory(used=used, limit=limit).is_nearly_full is is_nearly_full
