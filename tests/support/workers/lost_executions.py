"""Executions whose worker has died, or whose hint is due."""

from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.redis import keyspace, process_keys
from tests.support.factories import Runner, greeting
from tests.support.workers.leases import beat


async def begin(runner: Runner) -> str:
    """Accept an execution without a hint; returns its reference."""
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"})
    await runner.store.client.send("DEL", process_keys.hints("walk"))
    return keyspace.reference(runner.account.id, execution_id)


async def lose(store: Store, reference: str, worker_id: str = "dead") -> None:
    """Let a worker die that holds the execution."""
    assert await store.walks.claim(reference, worker_id)
    await beat(store, worker_id, 60_000)
    await store.client.send("ZADD", process_keys.workers(), 2, worker_id)  # a lease long over


async def make_due(store: Store, runner: Runner, reference: str) -> None:
    due = keyspace.due(partition_of(runner.account.id))
    await store.client.send("ZADD", due, 1, reference)
