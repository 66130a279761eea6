"""Renewal of a worker's lease, as its heartbeat does it."""

from collections.abc import Iterable

from engine.store import Store
from engine.store.redis.scripts import SCRIPTS
from engine.store.worker_leases import WORKER_KEYS, pack_variables


async def beat(store: Store, worker_id: str, lease_ms: int, variables: Iterable[str] = ()) -> int:
    """Renew the lease of a worker that has these variables; returns Redis's time in ms."""
    arguments = (0, worker_id, lease_ms, pack_variables(variables))
    return int(await store.client.call(SCRIPTS["beat_worker"], WORKER_KEYS, arguments))
