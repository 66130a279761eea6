"""`headrace init` on a cluster marks each partition."""

import pytest

from engine.access.sealing import Sealer
from engine.errors import WrongStore
from engine.store.redis import keyspace
from engine.store.redis.address import RedisAddress
from engine.store.redis.cluster.cluster_client import ClusterClient
from engine.store.redis.cluster.guard import ClusterGuard
from engine.store.redis.installation import MarkOutcome, mark
from tests.support.eventually import eventually
from tests.support.redis.cluster import running_cluster
from tests.support.redis.installation import SECRET_KEY

PARTITIONS = range(16)
OURS = Sealer.from_secret_key(SECRET_KEY)


async def test_init_marks_all_partitions() -> None:
    with running_cluster(3, 0, is_marked=False) as cluster:
        address = RedisAddress.parse(cluster.address())
        client = ClusterClient(address, ClusterGuard(address, OURS))
        with pytest.raises(WrongStore) as refusal:
            await client.send("PING")
        assert refusal.value.seen.endswith(" holds no Headrace installation.")

        outcome, marker = await mark(address, OURS)

        assert outcome == MarkOutcome.BEGUN
        with cluster.client() as library:
            for each in PARTITIONS:
                created = library.hget(keyspace.partition_mark(each), "created")
                assert int(created) == marker.created_at
        await eventually(lambda: answers(client))
        assert (await mark(address, OURS))[0] == MarkOutcome.KEPT
        await client.close()


async def answers(client: ClusterClient) -> bool:
    """Return whether each primary is permitted."""
    try:
        for each in PARTITIONS:
            await client.send("HGET", keyspace.accounts(each), "a")
    except WrongStore:
        return False
    return True
