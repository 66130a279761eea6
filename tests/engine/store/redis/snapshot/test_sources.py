import pytest
import redis

from engine.errors import Unavailable
from engine.store.redis.address import RedisAddress
from engine.store.redis.snapshot.sources import open_snapshots


async def test_a_single_server_gives_one_snapshot(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("repl-diskless-sync-delay", 0)
    (stream,) = await open_snapshots(RedisAddress.parse(redis_url))

    assert b"hr:installation" in b"".join([piece async for piece in stream.pieces()])


async def test_a_server_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await open_snapshots(RedisAddress.parse("unix:///tmp/no-such-socket"))
