from collections.abc import Iterator

import pytest
from redis.exceptions import AskError, TryAgainError

from tests.support.redis.cluster import RedisCluster, running_cluster
from tests.support.redis.fronts import DelayProxy

KEYS = [f"{{x}}{number}" for number in range(60)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    with running_cluster() as started:
        yield started


def test_a_killed_primary_is_replaced_and_comes_back_as_a_replica(cluster: RedisCluster) -> None:
    old = cluster.kill_primary(1)

    new = cluster.await_failover(old)

    assert new in cluster.shards[1]
    cluster.restart(old)
    assert (old.info()["role"], old.info()["master_port"]) == ("slave", new.port)
    assert (cluster.primary(1), cluster.replica(1)) == (new, old)


def test_keys_of_a_slot_that_moves_are_on_both_sides(cluster: RedisCluster) -> None:
    with cluster.client() as client:
        for key in KEYS:
            client.set(key, key)
        slot = client.keyslot("{x}")
        source, target = cluster.shard_of(slot), (cluster.shard_of(slot) + 1) % 3

        move = cluster.begin_move(slot, target)
        move.move_keys(share=0.5)

        kept = cluster.primary(source).command("CLUSTER", "GETKEYSINSLOT", slot, 100)
        assert len(kept) == move.moved == len(KEYS) / 2
        gone = next(key for key in KEYS if key.encode() not in kept)
        with pytest.raises(AskError):
            cluster.primary(source).command("GET", gone)
        with pytest.raises(TryAgainError):
            cluster.primary(source).command("MGET", gone, kept[0])
        move.move_keys()
        move.finish()
        assert cluster.shard_of(slot) == target
        assert [client.get(key) for key in KEYS] == [key.encode() for key in KEYS]


def test_a_cluster_is_known_by_its_proxies() -> None:
    with running_cluster(3, 0, password="secret", fronts=DelayProxy) as cluster:
        fronts = [cluster.front(each) for each in cluster.servers]
        named = cluster.servers[0].command("CLUSTER", "SLOTS")

        assert {entry[2][1] for entry in named} == {front.port for front in fronts}
        assert cluster.address().startswith(f"redis+cluster://:secret@{fronts[0].place},")
        cluster.move_slot(0, to=1, seconds=0)
        assert cluster.shard_of(0) == 1
