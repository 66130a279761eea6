"""Executions are accepted, claimed and ended while the slot of their account moves."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TypeVar

import pytest
import redis

from engine.access.capabilities import Tier
from engine.errors import Unavailable
from engine.executions.statuses import ExecutionStatus
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.executions.advance import Step
from engine.store.executions.claim import Lease
from engine.store.redis import keyspace
from engine.store.redis.cluster.routes import slot_of
from tests.support.redis.cluster import RedisCluster, node_id
from tests.support.redis.installation import SECRET_KEY
from tests.support.redis.processes import wait_until
from tests.support.store.records import BOTH_DONE, accept, save

T = TypeVar("T")

WALKERS = 8


@pytest.fixture
async def store(primaries: RedisCluster) -> AsyncIterator[Store]:
    store = Store.open(Settings(redis_url=primaries.address(), secret_key=SECRET_KEY))
    await store.learn_partitions()
    yield store
    await store.close()


class Walkers:
    """Make one execution after another; a refused step is repeated, as walkers do."""

    def __init__(self, store: Store, account: Account) -> None:
        self._store = store
        self._account = account
        self.ended: list[str] = []
        self.refusals: Counter[str] = Counter()
        self.is_running = True

    async def walk(self) -> None:
        workflow, plan = await save(self._store, self._account)
        while self.is_running:
            begin = partial(accept, self._store, self._account, workflow, plan)
            await self._end((await self._insist(begin)).id)

    async def _end(self, execution_id: str) -> None:
        account_id, walks = self._account.id, self._store.walks
        reference = keyspace.reference(account_id, execution_id)
        await self._insist(partial(walks.claim, reference, "w1", "t"))
        step = Step(settled=BOTH_DONE, end=ExecutionStatus.COMPLETED)
        lease = Lease(account_id, execution_id, "w1", 1, "t")
        await self._insist(partial(walks.advance, lease, 1, step))
        self.ended.append(execution_id)

    async def _insist(self, work: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await work()
            except Unavailable as refusal:
                self.refusals[refusal.word] += 1


async def walk_during(store: Store, move: Callable[[Account], None]) -> Walkers:
    """Let walkers of a new account work while a function moves its slot; check what they did."""
    account = await store.accounts.create(email="a@example.com", tier=Tier.ENTERPRISE)
    walkers = Walkers(store, account)
    tasks = [asyncio.create_task(walkers.walk()) for _ in range(WALKERS)]
    await asyncio.sleep(0.2)
    await asyncio.to_thread(move, account)
    await asyncio.sleep(0.2)
    walkers.is_running = False
    await asyncio.gather(*tasks)

    rows = []
    cursor = None
    while True:
        page, cursor = await store.executions.list(account.id, cursor=cursor, limit=100)
        rows += page
        if cursor is None:
            break
    completed = [row.id for row in rows if row.status is ExecutionStatus.COMPLETED]
    assert len(completed) > WALKERS
    assert set(walkers.ended) == set(completed)
    assert len(completed) == len(set(completed))
    assert await store.executions.count_active(account.id) == len(rows) - len(completed)
    return walkers


async def test_nothing_is_lost_or_doubled_while_keys_move_one_by_one(
    store: Store, primaries: RedisCluster
) -> None:
    def move(account: Account) -> None:
        slot = slot_of(keyspace.wallet(account.id))
        for _ in range(2):
            to = (primaries.shard_of(slot) + 1) % 3
            primaries.move_slot(slot, to, seconds=0.3)

    before = refusals(primaries)
    walkers = await walk_during(store, move)

    assert set(walkers.refusals) <= {"TRYAGAIN"}
    assert refusals(primaries) > before  # servers asked to try again, and the client did


async def test_a_slot_that_moves_as_a_whole_refuses_nothing(
    store: Store, primaries: RedisCluster
) -> None:
    def move(account: Account) -> None:
        slot = slot_of(keyspace.wallet(account.id))
        source = primaries.shard_of(slot)
        target = (source + 1) % 3
        words = ("SLOTSRANGE", slot, slot, "NODE", node_id(primaries.primary(target)))
        try:
            primaries.primary(source).command("CLUSTER", "MIGRATESLOTS", *words)
        except redis.ResponseError as error:
            pytest.skip(f"this server moves keys one by one: {error}")
        wait_until(lambda: primaries.shard_of(slot) == target, "a moved slot")

    before = refusals(primaries)
    walkers = await walk_during(store, move)

    assert walkers.refusals == Counter()
    assert refusals(primaries) == before


def refusals(cluster: RedisCluster) -> int:
    """Return how often servers have refused keys that are on both sides of a move."""
    stats = [each.info("errorstats").get("errorstat_TRYAGAIN", {}) for each in cluster.servers]
    return sum(int(each.get("count", 0)) for each in stats)
