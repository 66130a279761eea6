"""Client and guard of an address: those of one primary, or of a cluster."""

from engine.access.sealing import Sealer
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from engine.store.redis.cluster.cluster_client import ClusterClient
from engine.store.redis.cluster.guard import ClusterGuard
from engine.store.redis.installation import Guard


def open_guard(address: RedisAddress, sealer: Sealer) -> Guard:
    """Return the guard of the installation at an address."""
    return ClusterGuard(address, sealer) if address.is_cluster else Guard(address, sealer)


def open_client(address: RedisAddress, guard: Guard | None = None) -> Client:
    """Return a client of an address; the first command connects. `guard` is of `open_guard`."""
    if not address.is_cluster:
        return Client(address, guard)
    if guard is not None and not isinstance(guard, ClusterGuard):
        raise TypeError("the guard is not one of a cluster")
    return ClusterClient(address, guard)
