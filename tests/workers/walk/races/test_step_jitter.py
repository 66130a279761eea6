"""Retries of nodes that fail together are due at different times."""

from engine.store import Store
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.factories import Runner, http_fan
from tests.support.workers.held_walker import HeldWalker

NODES = 12
BACKOFF_MS = 50_000


async def test_nodes_that_fail_together_are_due_at_different_times_and_none_later_than_said(
    runner: Runner, held_walker: HeldWalker, store: Store
) -> None:
    retry = {"attempts": 2, "backoff": BACKOFF_MS / 1000}
    graph = http_fan("https://example.com/fail", NODES, retry=retry)
    began = await store.leases.now()
    execution_id = await runner.begin(await runner.save(graph))
    key = keyspace.execution(runner.account.id, execution_id)

    held_walker.walker.take_hint(keyspace.reference(runner.account.id, execution_id))
    await eventually(lambda: store.client.send("HGET", key, "holders"), lambda held: held == b"0")

    claims = await store.client.send("HMGET", key, *(f"n{index}" for index in range(NODES)))
    due = [int(claim.split(b":")[2]) for claim in claims]
    ended = await store.leases.now()
    assert len(set(due)) > NODES / 2
    assert max(due) - min(due) > BACKOFF_MS / 50
    assert min(due) >= began + 0.8 * BACKOFF_MS
    assert max(due) <= ended + BACKOFF_MS
