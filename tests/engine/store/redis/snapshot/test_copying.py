from collections.abc import AsyncIterator, Iterator

import pytest
import redis

from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from engine.store.redis.snapshot.copying import ITEMS_AT_ONCE, KeyCopier, UnknownKind
from tests.conftest import RedisServer

MANY = 3 * ITEMS_AT_ONCE + 7
FAR_MS = 4_000_000_000_123


@pytest.fixture
def target_server() -> Iterator[RedisServer]:
    server = RedisServer(is_marked=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def copier(redis_url: str, target_server: RedisServer) -> AsyncIterator[KeyCopier]:
    source, target = (Client(RedisAddress.parse(each)) for each in (redis_url, target_server.url))
    yield KeyCopier(source, target)
    await source.close()
    await target.close()


def fill(client: redis.Redis) -> None:
    binary = bytes(range(256))
    client.set("text", binary)
    client.set("expiring", "x", pxat=FAR_MS)
    client.set("gone", "x", px=1)
    client.hset("small", mapping={b"a": binary, b"b": b""})
    client.hset("large", mapping={str(number): "v" * 100 for number in range(MANY)})
    client.pexpireat("large", FAR_MS)
    client.sadd("members", *range(MANY))
    client.zadd("scores", {f"m{number}": number + 0.1 for number in range(MANY)})
    client.zadd("extremes", {"low": float("-inf"), "high": float("inf"), "time": 1.796e12 + 0.25})
    client.rpush("items", *range(MANY))
    for number in range(MANY):
        client.xadd("entries", {"n": number, "b": binary}, id=f"{number + 1}-1")
    client.xtrim("entries", maxlen=MANY - 3, approximate=False)
    client.xdel("entries", f"{MANY}-1")
    client.xadd("emptied", {"n": 1}, id="7-3")
    client.xtrim("emptied", maxlen=0)


def contents(client: redis.Redis) -> dict[bytes, object]:
    """Return all keys with their contents and expiries."""
    read = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        b"list": lambda key: client.lrange(key, 0, -1),
        b"stream": lambda key: (
            client.xrange(key),
            *map(
                client.xinfo_stream(key).get,
                ("last-generated-id", "entries-added", "max-deleted-entry-id"),
            ),
        ),
    }
    return {
        key: (client.execute_command("PEXPIRETIME", key), read[client.type(key)](key))
        for key in client.scan_iter()
    }


async def test_all_kinds_of_keys_are_copied_with_their_expiries(
    copier: KeyCopier, redis_url: str, target_server: RedisServer
) -> None:
    counts: list[int] = []
    with redis.Redis.from_url(redis_url) as source:
        fill(source)
        expected = contents(source)

    count = await copier.copy_all(lambda key: True, counts.append)

    with redis.Redis.from_url(target_server.url) as target:
        assert contents(target) == expected
    assert count == len(expected) == counts[-1]
    assert b"gone" not in expected


async def test_keys_that_are_not_wanted_stay(copier: KeyCopier, target_server: RedisServer) -> None:
    await copier._source.send("SET", "other", 1)
    await copier._source.send("SET", "wanted", 1)

    assert await copier.copy_all(lambda key: key == b"wanted") == 1

    with redis.Redis.from_url(target_server.url) as target:
        assert target.keys() == [b"wanted"]


async def test_a_type_that_is_not_known_is_no_key_less(
    copier: KeyCopier, monkeypatch: pytest.MonkeyPatch
) -> None:
    await copier._source.send("SADD", "members", 1)
    monkeypatch.delitem(copier._copiers, b"set")

    with pytest.raises(UnknownKind, match="members is a set"):
        await copier.copy_all(lambda key: True)
