"""Clusters of real servers, and clients of them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from engine.store.redis.address import RedisAddress
from engine.store.redis.cluster.cluster_client import ClusterClient
from tests.support.redis.cluster import RedisCluster, running_cluster


@pytest.fixture(scope="module")
def primaries() -> Iterator[RedisCluster]:
    """Three primaries without replicas, for tests that only move slots."""
    with running_cluster(3, 0) as started:
        yield started


@pytest.fixture
async def client(primaries: RedisCluster) -> AsyncIterator[ClusterClient]:
    client = ClusterClient(RedisAddress.parse(primaries.address()))
    yield client
    await client.close()
