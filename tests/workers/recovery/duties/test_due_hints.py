"""Hints that are due are sent, on a real store."""

import pytest

from engine.access.capabilities import Tier
from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.dispatch.queue_selector import BULK_FROM
from engine.store.redis import keyspace, process_keys
from tests.support.factories import Runner
from tests.support.workers.lost_executions import begin, lose, make_due
from workers.recovery.clock import RecoveryClock
from workers.recovery.duties.dead_workers import DeadWorkers
from workers.recovery.duties.due_hints import DueExecutions


@pytest.fixture
def due_executions(store: Store) -> DueExecutions:
    return DueExecutions(store, RecoveryClock(3.0))


async def test_due_executions_are_hinted_at_once_in_a_while(
    store: Store, runner: Runner, due_executions: DueExecutions
) -> None:
    reference = await begin(runner)
    await make_due(store, runner, reference)

    await due_executions.run()
    await due_executions.run()

    hints = await store.client.send("LRANGE", process_keys.hints("walk"), 0, -1)
    assert hints == [f"walk|{reference}".encode()]


async def test_hints_of_an_account_with_much_under_way_wait_behind_others(
    store: Store, runner: Runner, due_executions: DueExecutions
) -> None:
    reference = await begin(runner)
    more = [str(number) for number in range(BULK_FROM)]
    await store.client.send("SADD", keyspace.active(runner.account.id), *more)
    await make_due(store, runner, reference)
    other = Runner(
        store, await store.accounts.create(email="b@e.com", tier=Tier.PRO), runner.notifier
    )
    others = await begin(other)
    await make_due(store, other, others)

    await due_executions.run()

    for queue, name in (("bulk", reference), ("walk", others)):
        hints = await store.client.send("LRANGE", process_keys.hints(queue), 0, -1)
        assert hints == [f"walk|{name}".encode()]


@pytest.mark.F05
async def test_hints_in_a_long_queue_are_sent_again_later(
    store: Store, runner: Runner, due_executions: DueExecutions
) -> None:
    reference = await begin(runner)
    await store.hints.send(["acc/x"] * 2_000)
    await make_due(store, runner, reference)
    now = await store.leases.now()

    await due_executions.run()

    due = keyspace.due(partition_of(runner.account.id))
    assert int(await store.client.send("ZSCORE", due, reference)) >= now + 7_000


async def test_a_full_redis_keeps_nothing_from_going_on(
    store: Store, runner: Runner, due_executions: DueExecutions
) -> None:
    waiting, lost = await begin(runner), await begin(runner)
    await lose(store, lost)
    await make_due(store, runner, waiting)
    await store.client.send("CONFIG", "SET", "maxmemory", 1)

    await DeadWorkers(store, "me", RecoveryClock(3.0)).run()
    await due_executions.run()

    assert await store.hints.depth() >= 2


async def test_many_delays_of_one_account_that_are_due_at_once_wait_behind_others(
    store: Store, runner: Runner, due_executions: DueExecutions
) -> None:
    """They are no active executions while they wait."""
    due, now = keyspace.due(partition_of(runner.account.id)), await store.leases.now()
    many = [keyspace.reference(runner.account.id, f"x{number}") for number in range(1_500)]
    other = await store.accounts.create(email="b@e.com", tier=Tier.PRO)
    last = keyspace.reference(other.id, "y")
    for each in many:
        await store.client.send("ZADD", due, now - 2_000, each)
    other_due = keyspace.due(partition_of(other.id))
    await store.client.send("ZADD", other_due, now - 1_000, last)

    await due_executions.run()

    assert await store.hints.depths(("walk", "bulk")) == {"walk": 1, "bulk": 1_500}
    assert await store.client.send("LRANGE", process_keys.hints("walk"), 0, -1) == [
        f"walk|{last}".encode()
    ]
