"""Renewing the lease of a worker in a line, as its heartbeat does."""

from engine import keyspace
from engine.store import Store
from engine.store.scripts import SCRIPTS


async def beat(store: Store, worker_id: str, lease_ms: int) -> int:
    """Renew a worker's lease; returns Redis's time in milliseconds."""
    script = SCRIPTS["beat_worker"]
    return int(await store.client.call(script, [keyspace.workers()], [0, worker_id, lease_ms]))
