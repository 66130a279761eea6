"""Renewal of a worker's lease, as its heartbeat does it."""

from collections.abc import Iterable

from engine.store import Store
from engine.store.dispatch.worker_leases import pack_variables
from engine.store.redis import keyspace
from engine.store.redis.scripts import SCRIPTS


async def beat(store: Store, worker_id: str, lease_ms: int, variables: Iterable[str] = ()) -> int:
    """Renew the lease of a worker that has these variables; returns Redis's time in ms."""
    now = await store.client.call(
        SCRIPTS["beat_worker"],
        workers=keyspace.workers(),
        variables=keyspace.worker_variables(),
        worker=worker_id,
        lease_ms=lease_ms,
        names=pack_variables(variables),
    )
    return int(now)
