"""Waits of runs under test: found while their nodes wait, answered, and ended before their time."""

from typing import Any

from engine.executions.node_waits import Answer, Answerer, AnswererKind, Decision, NodeWait
from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.redis import keyspace
from engine.store.waits.node_waits import Answered, WaitRef
from engine.store.waits.records import parse_waits, wait_field
from tests.support.eventually import eventually

SESSION = Answerer(AnswererKind.SESSION, "acc")


async def open_waits(store: Store, account_id: str, execution_id: str) -> list[NodeWait]:
    """Return the open waits of an execution whose worker has left it."""
    record = await store.walks.records(account_id, execution_id)
    if record.get("holders", b"0") != b"0":
        return []
    return [each for each in parse_waits(account_id, execution_id, record) if each.is_open]


async def until_waiting(
    store: Store, account_id: str, execution_id: str, count: int = 1
) -> list[NodeWait]:
    """Return the open waits of an execution, once there are as many and nobody holds it."""

    async def look() -> list[NodeWait] | None:
        found = await open_waits(store, account_id, execution_id)
        return found if len(found) == count else None

    return await eventually(look)


async def answer(
    store: Store,
    wait: NodeWait,
    decision: Decision = Decision.APPROVE,
    fields: dict[str, Any] | None = None,
    note: str | None = None,
) -> None:
    """Answer an open approval by a session."""
    ref = WaitRef(wait.account_id, wait.execution_id, wait.node_index)
    given = Answer(decision=decision, fields=fields or {}, note=note, by=SESSION)
    assert isinstance(await store.node_waits.answer(ref, given), Answered)


async def bring_forward(store: Store, wait: NodeWait) -> None:
    """Let the time of a wait have come, as if its clock had stepped forward."""
    key = keyspace.execution(wait.account_id, wait.execution_id)
    field, claim = wait_field(wait.node_index), f"n{wait.node_index}"
    since = str(wait.since).encode()
    record: bytes = await store.client.send("HGET", key, field)
    facts = record.split(b":", 2)[2]
    parked: bytes = await store.client.send("HGET", key, claim)
    fence, attempts, _, lost = parked.split(b":")
    await store.client.send("HSET", key, field, b":".join((since, since, facts)))
    await store.client.send("HSET", key, claim, b":".join((fence, attempts, since, lost)))
    due = keyspace.due(partition_of(wait.account_id))
    reference = keyspace.reference(wait.account_id, wait.execution_id)
    await store.client.send("ZADD", due, since, reference)
