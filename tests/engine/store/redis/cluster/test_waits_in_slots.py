"""Waits of nodes on a cluster of three primaries: each script has its keys in one slot."""

from collections.abc import AsyncIterator

import pytest

from engine.access.capabilities import Tier
from engine.executions.node_waits import NewWait, OnTimeout, WaitKind
from engine.executions.statuses import ExecutionStatus
from engine.ids.idempotency import make_idempotency_key
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Store
from engine.store.executions.unfinished import has_unfinished, unfinished_ids
from engine.store.waits.node_waits import Answered, WaitEnded, timeout_answer
from tests.support.redis.cluster import RedisCluster
from tests.support.redis.installation import SECRET_KEY
from tests.support.store.claims import claim
from tests.support.store.records import save
from tests.support.waits.runs import ASK, DELAY, WaitRuns, answer


@pytest.fixture
async def store(primaries: RedisCluster) -> AsyncIterator[Store]:
    store = Store.open(Settings(redis_url=primaries.address(), secret_key=SECRET_KEY))
    yield store
    await store.close()


async def test_the_life_of_waits_fits_into_slots(store: Store) -> None:
    accounts = [
        await store.accounts.create(email=f"{number}@example.com", tier=Tier.PRO)
        for number in range(4)
    ]
    assert len({partition_of(account.id) for account in accounts}) > 1
    for account in accounts:
        runs = WaitRuns(store, account, await save(store, account))
        await runs.begin_root(idempotency_key=make_idempotency_key("POST", "/", "once", b"{}"))
        await runs.ask()
        assert await unfinished_ids(store.client, account.id) == {runs.root_id}
        assert isinstance(await store.node_waits.answer(runs.asked, answer()), Answered)
        await claim(store, runs.reference(runs.root_id), "w2")
        await runs.begin_root()
        await runs.wait(NewWait(kind=WaitKind.APPROVAL, until=1_000, on_timeout=OnTimeout.REFUSE))
        late = await store.node_waits.find(runs.asked)
        assert late is not None
        ended = await store.node_waits.end(runs.asked, timeout_answer(late))
        assert isinstance(ended, WaitEnded)
        await runs.end_parent()
        await runs.begin_root()
        await runs.open(2)
        await runs.begin(0, 1)
        asked = [await runs.ask_in_child(0, ASK), await runs.ask_in_child(1, DELAY)]
        await runs.park()
        listed, _ = await store.node_waits.list_approvals(account.id, limit=5)
        assert [each.execution_id for each in listed] == [asked[0].execution_id]
        assert len(await store.node_waits.of_children(account.id, runs.root_id)) == 2
        assert isinstance(await store.node_waits.answer(asked[0], answer()), Answered)
        cancelled = await store.executions.cancel(account.id, runs.root_id)
        assert cancelled is ExecutionStatus.CANCELLED
        for ref in asked:
            await store.executions.cancel(account.id, ref.execution_id)
        assert await store.node_waits.list_approvals(account.id, limit=5) == ([], None)
        assert await has_unfinished(store.client, account.id)  # the first one is claimed
