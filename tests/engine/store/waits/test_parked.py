"""Parked executions: those whose next step is more than a minute ahead."""

from engine.ids import partitions
from engine.store import Store
from engine.store.redis import keyspace
from engine.store.redis.info import read_now
from tests.support.eventually import eventually

MINUTE = 60_000


async def add(store: Store, name: str, *, ahead: int, age: int, partition: int = 0) -> None:
    """Add an execution that was accepted `age` ms ago and has its next step in `ahead` ms."""
    now = await read_now(store.client)
    reference = keyspace.reference("acc_1", name)
    record = keyspace.execution("acc_1", name)
    await store.client.send("ZADD", keyspace.due(partition), now + ahead, reference)
    await store.client.send("HSET", record, "created", now - age)


async def test_none_is_parked(store: Store) -> None:
    parked = await store.parked.read()

    assert (parked.count, parked.oldest_seconds) == (0, 0)


async def test_those_with_a_step_within_a_minute_do_not_count(store: Store) -> None:
    await add(store, "hint", ahead=5_000, age=100 * MINUTE)
    await add(store, "overdue", ahead=-MINUTE, age=100 * MINUTE)
    await add(store, "delay", ahead=2 * MINUTE, age=10_000)
    await add(store, "approval", ahead=7 * 24 * 60 * MINUTE, age=30 * MINUTE, partition=3)

    parked = await store.parked.read()

    assert parked.count == 2
    assert 30 * 60 <= parked.oldest_seconds < 31 * 60


async def test_thousands_are_counted_by_few_reads(store: Store) -> None:
    for number in range(500):
        await add(store, f"e{number}", ahead=2 * MINUTE + number, age=1_000 * number)
    sent, send = [], store.client.send

    def note(*command):  # type: ignore[no-untyped-def]
        sent.append(command)
        return send(*command)

    store.client.send = note  # type: ignore[method-assign]
    parked = await store.parked.read()

    assert parked.count == 500
    assert 499 <= parked.oldest_seconds < 520  # the last one to go on was accepted first
    assert len(sent) < 4 * partitions.count()


async def test_an_execution_whose_record_is_gone_has_no_age(store: Store) -> None:
    await add(store, "gone", ahead=2 * MINUTE, age=MINUTE)
    await store.client.send("DEL", keyspace.execution("acc_1", "gone"))

    parked = await eventually(store.parked.read)

    assert (parked.count, parked.oldest_seconds) == (1, 0)
