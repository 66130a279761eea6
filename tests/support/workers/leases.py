"""Renewal of a worker's lease, as its heartbeat does it."""

from collections.abc import Iterable

from engine.store import Store
from engine.store.dispatch.worker_leases import pack_variables
from engine.store.redis import process_keys
from engine.store.redis.scripts import SCRIPTS


async def beat(store: Store, worker_id: str, lease_ms: int, variables: Iterable[str] = ()) -> int:
    """Renew the lease of a worker that has these variables; returns Redis's time in ms."""
    now = await store.client.call(
        SCRIPTS["beat_worker"],
        workers=process_keys.workers(),
        variables=process_keys.worker_variables(),
        worker=worker_id,
        lease_ms=lease_ms,
        names=pack_variables(variables),
    )
    return int(now)
