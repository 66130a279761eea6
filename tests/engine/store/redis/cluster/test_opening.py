"""Client and guard by the kind of an address."""

import pytest

from engine.access.sealing import Sealer
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from engine.store.redis.cluster.cluster_client import ClusterClient
from engine.store.redis.cluster.guard import ClusterGuard
from engine.store.redis.cluster.opening import open_client, open_guard
from engine.store.redis.installation import Guard
from tests.support.redis.installation import SECRET_KEY

SEALER = Sealer.from_secret_key(SECRET_KEY)
ONE = "redis://127.0.0.1:1", "redis+sentinel://127.0.0.1:1/main", "unix:///tmp/s"


@pytest.mark.parametrize("url", ONE)
async def test_one_primary_has_one_pipeline(url: str) -> None:
    address = RedisAddress.parse(url)
    guard = open_guard(address, SEALER)

    assert type(guard) is Guard
    assert type(open_client(address, guard)) is Client


async def test_a_cluster_has_a_client_and_a_guard_of_its_own() -> None:
    address = RedisAddress.parse("redis+cluster://127.0.0.1:1,127.0.0.1:2")
    guard = open_guard(address, SEALER)

    assert isinstance(guard, ClusterGuard)
    assert isinstance(open_client(address, guard), ClusterClient)
    assert isinstance(open_client(address), ClusterClient)
    with pytest.raises(TypeError, match="not one of a cluster"):
        open_client(address, Guard(address, SEALER))
