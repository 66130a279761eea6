"""Claims and steps of workers, one line each."""

from dataclasses import replace

from engine.executions.rows import NodeRow
from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.executions.advance import Step, Verdict
from engine.store.executions.claim import ClaimedExecution
from engine.store.redis import keyspace


async def claim(
    store: Store, reference: str, worker: str = "w1", token: str = ""
) -> ClaimedExecution:
    claimed = await store.walks.claim(reference, worker, token)
    assert claimed is not None
    return claimed


async def advance(
    store: Store, claimed: ClaimedExecution, number: int, step: Step, worker: str = "w1"
) -> Verdict:
    advanced = await store.walks.advance(replace(claimed.lease, worker_id=worker), number, step)
    return advanced.verdict


async def due_at(store: Store, reference: str) -> int | None:
    account_id, _ = keyspace.parse_reference(reference)
    key = keyspace.due(partition_of(account_id))
    score = await store.client.send("ZSCORE", key, reference)
    return None if score is None else int(score)


def row(index: int, outputs: bytes | str | None = None) -> NodeRow:
    return NodeRow(index, 1, 1_000, 5, None, outputs)
