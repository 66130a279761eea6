"""Clients of redis-py for any address, for tests that look into the store of a stack."""

from typing import Any
from urllib.parse import urlsplit

import redis
from redis.cluster import ClusterNode, RedisCluster
from redis.sentinel import Sentinel

PORT = 6379


def open_redis(address: str) -> Any:
    """Return a client of one server, of the primary that sentinels name, or of a cluster."""
    parts = urlsplit(address)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    nodes = [(host, int(port or PORT)) for host, _, port in (each.partition(":") for each in hosts)]
    if parts.scheme == "redis+sentinel":
        return Sentinel(nodes).master_for(parts.path.strip("/"))
    if parts.scheme == "redis+cluster":
        return RedisCluster(startup_nodes=[ClusterNode(*each) for each in nodes])
    return redis.Redis.from_url(address)
