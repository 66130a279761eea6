"""The sweeper finds executions that no worker holds and that are not due, and no others."""

import pytest
import redis

from engine.access.capabilities import Tier
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Store
from engine.store.executions.advance import Step
from engine.store.executions.claim import Lease, parse_claims
from engine.store.redis import keyspace, process_keys
from tests.support.factories import Runner, greeting
from tests.support.workers.leases import beat
from workers.main import worker
from workers.recovery.duties import orphans
from workers.recovery.duties.orphans import OrphanSearch


@pytest.fixture
def search(store: Store) -> OrphanSearch:
    return OrphanSearch(store)


async def begin(runner: Runner) -> str:
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"})
    return keyspace.reference(runner.account.id, execution_id)


async def is_due(store: Store, reference: str) -> bool:
    partition = partition_of(keyspace.parse_reference(reference)[0])
    return await store.client.send("ZSCORE", keyspace.due(partition), reference) is not None


async def lose_hold(store: Store, reference: str) -> None:
    """Leave an execution whose record counts a holder, though no worker has it."""
    assert await store.walks.claim(reference, "w1")
    await beat(store, "w1", 60_000)
    partition = partition_of(keyspace.parse_reference(reference)[0])
    await store.client.send("DEL", keyspace.held(partition, "w1"))


async def hold_unknown(store: Store, reference: str) -> None:
    """Leave an execution held by an unknown worker."""
    assert await store.walks.claim(reference, "ghost")


async def lose_due(store: Store, reference: str) -> None:
    """Leave an execution without a claim and without a due hint."""
    partition = partition_of(keyspace.parse_reference(reference)[0])
    await store.client.send("ZREM", keyspace.due(partition), reference)


@pytest.mark.parametrize("orphan", [lose_hold, hold_unknown, lose_due])
async def test_an_orphan_is_due_after_three_passes_and_ends(
    orphan: object, settings: Settings, store: Store, runner: Runner, search: OrphanSearch
) -> None:
    assert callable(orphan)
    reference = await begin(runner)
    await orphan(store, reference)
    await store.client.send("DEL", process_keys.hints("walk"))

    dues = []
    for _ in range(3):
        await search.run()
        dues.append(await is_due(store, reference))
    async with worker(settings):
        execution = await runner.end(keyspace.parse_reference(reference)[1])

    assert dues == [False, False, True]
    assert execution.result == {"text": "Hello Ada"}


async def test_a_cancel_of_an_orphan_comes_to_its_end(
    settings: Settings, store: Store, runner: Runner, search: OrphanSearch
) -> None:
    reference = await begin(runner)
    execution_id = keyspace.parse_reference(reference)[1]
    await lose_hold(store, reference)
    for _ in range(3):
        await search.run()

    cancelled = await store.executions.cancel(runner.account.id, execution_id)

    assert cancelled is ExecutionStatus.CANCELLED
    assert await store.client.send("SCARD", keyspace.active(runner.account.id)) == 0


async def test_executions_that_are_due_held_or_over_are_left_alone(
    store: Store, runner: Runner, search: OrphanSearch
) -> None:
    due, held, over = [await begin(runner) for _ in range(3)]
    await beat(store, "w1", 60_000)
    for each in (held, over):
        assert await store.walks.claim(each, "w1", "t")
    ids = keyspace.parse_reference(over)
    step = Step(
        settled=[(0, NodeStatus.COMPLETED), (1, NodeStatus.COMPLETED), (2, NodeStatus.COMPLETED)],
        end=ExecutionStatus.COMPLETED,
    )
    await store.walks.advance(Lease(*ids, "w1", 1, "t"), 1, step)

    for _ in range(5):
        await search.run()

    assert await is_due(store, due)
    assert not await is_due(store, held)
    assert await store.leases.held("w1") == [held]
    assert not await is_due(store, over)


async def test_an_execution_claimed_between_the_passes_is_left_alone(
    store: Store, runner: Runner, search: OrphanSearch
) -> None:
    reference = await begin(runner)
    for number in range(5):
        await search.run()
        assert await store.walks.claim(reference, f"ghost-{number}")
        await search.run()
        await store.walks.give_back(reference, f"ghost-{number}", is_lost=False)
        assert await store.walks.claim(reference, f"ghost-{number}")
        await search.run()
        assert not await is_due(store, reference)
        await store.walks.give_back(reference, f"ghost-{number}", is_lost=False)


async def test_an_execution_with_a_new_claim_is_an_orphan_one_pass_later(
    store: Store, runner: Runner, search: OrphanSearch
) -> None:
    reference = await begin(runner)
    assert await store.walks.claim(reference, "ghost")
    await search.run()
    await search.run()
    await store.walks.give_back(reference, "ghost", is_lost=False)
    assert await store.walks.claim(reference, "ghost")

    dues = []
    for _ in range(2):
        await search.run()
        dues.append(await is_due(store, reference))

    assert dues == [False, True]


async def test_a_fence_that_is_old_frees_nothing(store: Store, runner: Runner) -> None:
    reference = await begin(runner)
    await lose_hold(store, reference)

    assert not await store.orphans.free(reference, "0")
    assert await store.orphans.free(reference, "1")
    assert not await store.orphans.free(reference, "1")


async def test_a_node_that_ran_in_an_orphan_counts_as_lost_with_its_worker(
    store: Store, runner: Runner
) -> None:
    reference = await begin(runner)
    claimed = await store.walks.claim(reference, "ghost", "t")
    assert claimed is not None
    await store.walks.advance(claimed.lease, 1, Step(claimed=[0]))

    assert await store.orphans.free(reference, "1")

    again = await store.walks.claim(reference, "w1", "t")
    assert again is not None
    assert (again.lost, parse_claims(again.record)[0].lost) == (1, 1)


async def test_all_accounts_are_looked_at_a_few_at_a_time(
    store: Store, runner: Runner, search: OrphanSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "ACCOUNTS_BATCH", 2)
    references = []
    for number in range(5):
        account = await store.accounts.create(email=f"{number}@example.com", tier=Tier.PRO)
        references.append(await begin(Runner(store, account, runner.notifier)))
        await lose_due(store, references[-1])

    for _ in range(3 * 4):
        await search.run()

    assert all([await is_due(store, each) for each in references])


async def test_only_the_claimants_of_an_execution_are_asked_whether_they_hold_it(
    store: Store, runner: Runner, redis_cleaner: redis.Redis
) -> None:
    held, given_back = await begin(runner), await begin(runner)
    assert await store.walks.claim(held, "w1")
    await store.walks.give_back(held, "w1", is_lost=False)
    assert await store.walks.claim(held, "w2")
    assert await store.walks.claim(given_back, "w1")
    await store.walks.give_back(given_back, "w1", is_lost=False)
    redis_cleaner.config_resetstat()

    workers = [f"w{number}" for number in range(1_000)]
    unheld = await store.orphans.unheld({held, given_back}, workers)
    unlisted = await store.orphans.unheld({held}, ["w1"])

    calls = {name: each["calls"] for name, each in redis_cleaner.info("commandstats").items()}
    assert unheld == {given_back: "1"}
    assert unlisted == {held: "2"}
    assert calls["cmdstat_hmget"] == 3 + 3
    assert "cmdstat_hkeys" not in calls
