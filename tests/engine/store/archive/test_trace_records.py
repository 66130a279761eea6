"""Records as traces need them: no values, however many nodes there are."""

from engine.store import Account, Store
from engine.store.archive.trace_records import read_trace_record
from engine.store.redis import keyspace

EXECUTION_ID = "00000000-0000-4000-8000-000000000001"


async def test_a_record_is_read_without_values(store: Store, account: Account) -> None:
    key = keyspace.execution(account.id, EXECUTION_ID)
    steps = [word for number in range(2_500) for word in (f"r1.{number}", b"row")]
    await store.client.send(
        *("HSET", key, "status", "completed", "inputs", b"in", "result", b"out", "o1.1", b"out"),
        *("n0", b"1:1:5:0", "w1", b"worker", "j0.0", b"job", "slug", "echo", *steps),
    )

    found = await read_trace_record(store.client, account.id, EXECUTION_ID, ("status", "slug"))

    assert found is not None
    assert {"status", "slug", "n0", "w1", "r1.0", "r1.2499"} <= set(found.fields)
    assert not {"inputs", "result", "o1.1", "j0.0"} & set(found.fields)
    assert len(found.fields) == 2_504


async def test_a_record_that_is_gone_is_none(store: Store) -> None:
    assert await read_trace_record(store.client, "acc_1", EXECUTION_ID, ("status",)) is None
