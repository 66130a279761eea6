"""Topology of a cluster, as processes share it."""

import asyncio

import pytest

from engine.errors import Unavailable
from engine.store.redis import keyspace
from engine.store.redis.address import RedisAddress, RedisNode
from engine.store.redis.cluster import topology as module
from engine.store.redis.cluster.cluster_client import ClusterClient
from engine.store.redis.cluster.routes import slot_of
from engine.store.redis.cluster.topology import ClusterTopology, find_primary, topology_of
from tests.conftest import free_port
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.redis.cluster import RedisCluster
from tests.support.redis.processes import ServerProcess


@pytest.fixture
def address(primaries: RedisCluster) -> RedisAddress:
    return RedisAddress.parse(primaries.address())


async def test_every_slot_has_the_primary_that_serves_it(
    primaries: RedisCluster, address: RedisAddress
) -> None:
    topology = topology_of(address)
    await topology.read()

    assert len(topology.primaries) == 3
    for slot in (0, 5_461, 5_462, 16_383):
        owner = primaries.primary(primaries.shard_of(slot))
        assert topology.primary_of(slot) == RedisNode(host="127.0.0.1", port=owner.port)


async def test_a_new_connection_goes_to_the_primary_of_its_key(
    primaries: RedisCluster, address: RedisAddress
) -> None:
    for partition in range(16):
        key = keyspace.accounts(partition)
        owner = primaries.primary(primaries.shard_of(slot_of(key)))

        assert await find_primary(address, key) == RedisNode(host="127.0.0.1", port=owner.port)
    assert await find_primary(address) in topology_of(address).primaries


async def test_many_signs_of_a_change_are_one_read(
    address: RedisAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.2)
    topology = ClusterTopology(address)
    await asyncio.gather(*(topology.read() for _ in range(50)))
    assert topology.reads == 1

    for _ in range(1_000):
        topology.suspect()
        topology.move(1, RedisNode(host="127.0.0.1", port=1))
    assert topology.reads == 1
    await asyncio.sleep(0.6)
    assert topology.reads == 2
    await topology.read(max_age=0)  # now, not after a pause
    assert topology.reads == 3
    assert topology.primary_of(1) == topology.primary_of(2)


async def test_a_sign_of_a_change_is_followed_by_a_read(
    address: RedisAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    topology = ClusterTopology(address)
    await topology.read()

    topology.move(1, RedisNode(host="127.0.0.1", port=1))
    assert topology.primary_of(1) == RedisNode(host="127.0.0.1", port=1)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while topology.reads < 2:
            await asyncio.sleep(0.01)
    assert topology.primary_of(1) == topology.primary_of(2)


async def test_servers_without_slots_give_no_topology() -> None:
    servers = [
        ServerProcess([f"cluster-enabled {setting}", f"cluster-port {free_port()}"])
        for setting in ("yes", "no")
    ]
    for server in servers:
        server.start()
        client = ClusterClient(RedisAddress.parse(f"redis+cluster://127.0.0.1:{server.port}"))
        with pytest.raises(Unavailable):
            await client.send("PING")
        await client.close()
        server.remove()


async def test_a_redirection_outlasts_reads_that_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    nobody = f"redis+cluster://127.0.0.1:{free_port()}"
    topology = ClusterTopology(RedisAddress.parse(nobody))

    topology.move(1, RedisNode(host="127.0.0.1", port=1))
    with pytest.raises(ConnectionError):
        await topology.read()

    assert topology.primary_of(1) == RedisNode(host="127.0.0.1", port=1)
    assert topology.reads == 0
