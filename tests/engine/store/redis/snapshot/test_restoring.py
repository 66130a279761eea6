"""A Redis that is being restored serves no process, of this release or of the one before."""

from collections.abc import AsyncIterator

import pytest
import redis

from engine.access.sealing import Sealer
from engine.errors import WrongStore
from engine.store.redis import keyspace
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from engine.store.redis.installation import SCHEMA, Guard, mark
from engine.store.redis.snapshot.restoring import NotEmpty, begin_restore, finish_restore
from tests.support.redis.installation import MARKER, SECRET_KEY

SEALER = Sealer.from_secret_key(SECRET_KEY)


@pytest.fixture
async def target(unmarked_redis_url: str) -> AsyncIterator[Client]:
    client = Client(RedisAddress.parse(unmarked_redis_url))
    yield client
    await client.close()


async def test_only_an_empty_redis_is_restored_into(target: Client) -> None:
    await target.send("SET", "mine", 1)

    with pytest.raises(NotEmpty, match=r"not empty \(1 keys\)"):
        await begin_restore(target)
    assert await target.send("DBSIZE") == 1


async def test_a_part_of_a_restore_is_told_from_other_data(target: Client) -> None:
    await begin_restore(target)

    with pytest.raises(NotEmpty, match="a restore was interrupted: empty it"):
        await begin_restore(target)


async def test_no_process_uses_it_and_init_does_not_mark_it(
    target: Client, unmarked_redis_url: str
) -> None:
    address = RedisAddress.parse(unmarked_redis_url)
    await begin_restore(target)
    guarded = Client(address, Guard(address, SEALER))

    with pytest.raises(WrongStore) as refused:
        await guarded.send("GET", "key")
    assert "is not restored whole" in refused.value.seen
    for adopts in (False, True):
        with pytest.raises(WrongStore) as refused:
            await mark(address, SEALER, adopts=adopts)
        assert "is not restored whole" in refused.value.seen
    await guarded.close()


async def test_a_release_that_does_not_know_the_mark_refuses_the_schema(target: Client) -> None:
    await begin_restore(target)

    assert int(await target.send("HGET", keyspace.installation(), "schema")) > SCHEMA


async def test_it_serves_with_the_marker_of_the_installation(
    target: Client, unmarked_redis_url: str
) -> None:
    await begin_restore(target)
    fields = {str(name).encode(): str(value).encode() for name, value in MARKER.items()}
    await finish_restore(target, fields)

    with redis.Redis.from_url(unmarked_redis_url) as client:
        assert client.hgetall(keyspace.installation()) == fields
    address = RedisAddress.parse(unmarked_redis_url)
    guarded = Client(address, Guard(address, SEALER))
    assert await guarded.send("GET", "key") is None
    await guarded.close()
