"""The age counts executions that no worker has begun, and finds them behind others."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.graph.features import UnknownPart
from engine.graph.plan import Plan
from engine.settings import Settings
from engine.store import Account, BatchAccepted, NewBatch, NewItem, Store, Workflow
from engine.store.dispatch.hints import BULK_QUEUE, WALK_QUEUE
from engine.store.dispatch.oldest_hint import FIRST_HINTS, SPREAD_HINTS, spread_places
from engine.store.executions.advance import Step
from engine.store.redis import keyspace, process_keys
from tests.support.redis.cluster import RedisCluster, running_cluster
from tests.support.redis.installation import SECRET_KEY
from tests.support.store.child_runs import ChildRuns
from tests.support.store.claims import claim
from tests.support.store.records import accept, save
from tests.support.waits.runs import DELAY, WaitRuns

HOUR = 3_600
"""Age in seconds that no test reaches by itself."""
MANY = 1_000


class Waiting:
    """Executions of one account, with hints that a test sends."""

    def __init__(self, store: Store, account: Account, saved: tuple[Workflow, Plan]) -> None:
        self.store = store
        self.account = account
        self.saved = saved

    async def begin(self, age: float = 0.0) -> str:
        """Accept an execution that is so old in seconds; return its reference. It has no hint."""
        accepted = await accept(self.store, self.account, *self.saved)
        reference = keyspace.reference(self.account.id, accepted.id)
        await self.grow_old(reference, age)
        await self.clear()
        return reference

    async def grow_old(self, reference: str, age: float) -> None:
        key = keyspace.execution(*keyspace.parse_reference(reference))
        created = await self.store.leases.now() - round(age * 1_000)
        await self.store.client.send("HSET", key, "created", created)

    async def hint(self, *references: str, queue: str = WALK_QUEUE) -> None:
        await self.store.hints.send(references, queue)

    async def begun(self) -> str:
        """Return the reference of an execution that a worker has in hand."""
        reference = await self.begin(HOUR)
        await claim(self.store, reference)
        return reference

    async def clear(self) -> None:
        for queue in (WALK_QUEUE, BULK_QUEUE):
            await self.store.hint_client.send("DEL", process_keys.hints(queue))

    async def age(self) -> float:
        return await self.store.oldest_hint.read_seconds()


@pytest.fixture
async def waiting(store: Store, account: Account) -> Waiting:
    return Waiting(store, account, await save(store, account))


async def test_empty_queues_have_no_age(waiting: Waiting) -> None:
    assert await waiting.age() == 0


async def test_the_age_is_that_of_the_oldest_execution(waiting: Waiting) -> None:
    await waiting.hint(await waiting.begin(20), await waiting.begin(60), await waiting.begin(40))

    assert 60 <= await waiting.age() < 70


async def test_an_accepted_run_counts_from_its_acceptance(waiting: Waiting) -> None:
    await accept(waiting.store, waiting.account, *waiting.saved)

    assert await waiting.store.hints.depth() > 0
    assert 0 <= await waiting.age() < 10


async def test_a_bulk_queue_that_starves_counts_as_well(waiting: Waiting) -> None:
    old, new = await waiting.begin(60), await waiting.begin(1)
    await waiting.hint(new)
    await waiting.hint(old, queue=BULK_QUEUE)

    assert 60 <= await waiting.age() < 70


async def test_hints_that_are_sent_again_change_nothing(waiting: Waiting) -> None:
    reference = await waiting.begin(60)
    await waiting.hint(*[reference] * MANY)

    assert 60 <= await waiting.age() < 70


async def test_executions_that_a_worker_has_begun_do_not_count(waiting: Waiting) -> None:
    held, given_back, parked = [await waiting.begun() for _ in range(3)]
    await waiting.store.walks.give_back(given_back, "w1", is_lost=False)
    await waiting.store.client.send(
        *("HSET", keyspace.execution(*keyspace.parse_reference(parked)), "holders", 0)
    )
    await waiting.hint(held, given_back, parked)

    assert await waiting.age() == 0


async def test_those_that_have_ended_or_are_gone_do_not_count(waiting: Waiting) -> None:
    ended = await waiting.begin(HOUR)
    _, execution_id = keyspace.parse_reference(ended)
    await waiting.store.executions.cancel(waiting.account.id, execution_id)
    await waiting.hint(ended, keyspace.reference(waiting.account.id, "exec_gone"))

    assert await waiting.age() == 0


async def test_those_that_no_worker_knows_do_not_count(waiting: Waiting) -> None:
    left, waits = await waiting.begin(HOUR), await waiting.begin(30)
    claimed = await claim(waiting.store, left)
    part = UnknownPart("node type", "later")
    await waiting.store.walks.leave_unknown(claimed.lease, part, wait_ms=HOUR, pause_ms=0)
    await waiting.hint(left)

    assert await waiting.age() == 0
    await waiting.hint(waits)
    assert 30 <= await waiting.age() < 40


@pytest.mark.parametrize(
    "data", [b"\x02walk|acc/1", b"walk", b"walk|", b"walk|acc", b"\xff\xff", b"deliver|", b"later|"]
)
async def test_hints_of_other_forms_are_ignored(waiting: Waiting, data: bytes) -> None:
    reference = await waiting.begin(60)
    if data in (b"deliver|", b"later|"):
        data += reference.encode()
    await waiting.store.client.send("RPUSH", process_keys.hints(WALK_QUEUE), data)

    assert await waiting.age() == 0
    await waiting.hint(reference)
    assert 60 <= await waiting.age() < 70


async def test_deliveries_do_not_count(waiting: Waiting) -> None:
    await waiting.store.hints.send_deliveries([await waiting.begin(HOUR)])

    assert await waiting.age() == 0


@pytest.mark.parametrize("ahead", [FIRST_HINTS, MANY])
async def test_one_is_found_behind_many_that_do_not_count(waiting: Waiting, ahead: int) -> None:
    """After a burst a queue begins with hints that were sent again, of what has ended since."""
    begun, waits = await waiting.begun(), await waiting.begin(60)
    await waiting.hint(*[begun] * ahead, *[waits] * ahead)

    assert 60 <= await waiting.age() < 70


async def test_an_age_is_never_negative(waiting: Waiting) -> None:
    """A primary of a cluster has a clock of its own."""
    await waiting.hint(await waiting.begin(-HOUR))

    assert await waiting.age() == 0


async def test_children_and_items_count_from_their_own_begin(waiting: Waiting) -> None:
    store, account = waiting.store, waiting.account
    runs = ChildRuns(store, account, waiting.saved)
    await runs.begin_root()
    await waiting.grow_old(runs.reference(runs.root_id), HOUR)
    await runs.open(1)
    await runs.begin(0)
    await waiting.clear()
    child = runs.reference(runs.child_id(0))
    await waiting.hint(runs.reference(runs.root_id), child)

    assert 0 <= await waiting.age() < 10
    await waiting.grow_old(child, 30)
    assert 30 <= await waiting.age() < 40


async def test_items_that_have_not_begun_do_not_count(waiting: Waiting) -> None:
    new = NewBatch(
        account_id=waiting.account.id,
        slug=waiting.saved[0].slug,
        version=1,
        items=[NewItem({}) for _ in range(3)],
        concurrency=1,
    )
    assert isinstance(await waiting.store.batches.add(new), BatchAccepted)

    assert await waiting.age() == 0


async def test_a_run_that_waits_for_its_time_does_not_count(waiting: Waiting) -> None:
    runs = WaitRuns(waiting.store, waiting.account, waiting.saved)
    await runs.begin_root()
    await runs.ask(DELAY)
    reference = runs.reference(runs.root_id)
    await waiting.grow_old(reference, HOUR)
    await waiting.hint(reference)

    assert await waiting.age() == 0


async def test_one_whose_worker_died_does_not_count(waiting: Waiting) -> None:
    reference = await waiting.begin(HOUR)
    claimed = await claim(waiting.store, reference)
    await waiting.store.walks.advance(claimed.lease, 1, Step(claimed=[0]))
    await waiting.store.walks.give_back(reference, "w1", is_lost=True)
    await waiting.hint(reference)

    assert await waiting.age() == 0


async def test_the_reads_are_bounded(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    for queue in (WALK_QUEUE, BULK_QUEUE):
        await waiting.hint(*(f"acc_{n}/exec_{n}" for n in range(50_000)), queue=queue)
    sent: list[Any] = []
    send = waiting.store.client.send
    monkeypatch.setattr(waiting.store.client, "send", lambda *c: sent.append(c[0]) or send(*c))

    assert await waiting.age() == 0

    reads = 2 * (FIRST_HINTS + SPREAD_HINTS)
    assert Counter(sent) == {"LINDEX": reads, "HMGET": reads, "LLEN": 2, "TIME": 1}


async def test_hints_may_live_on_another_redis(redis_url: str) -> None:
    settings = Settings(redis_url=redis_url, queue_url=redis_url + "?db=5", secret_key=SECRET_KEY)
    store = Store.open(settings)
    account = await store.accounts.create(email="a@example.com", tier=Tier.PRO)
    waiting = Waiting(store, account, await save(store, account))
    await waiting.hint(await waiting.begin(60))

    assert await store.client.send("EXISTS", process_keys.hints(WALK_QUEUE)) == 0
    assert 60 <= await waiting.age() < 70
    await waiting.clear()
    await store.close()


async def test_accounts_of_a_cluster_are_read_in_their_slots(cluster_store: Store) -> None:
    store, ages = cluster_store, (30, 60, 40, 50)
    for number, age in enumerate(ages):
        account = await store.accounts.create(email=f"{number}@example.com", tier=Tier.PRO)
        waiting = Waiting(store, account, await save(store, account))
        reference = await waiting.begin()
        await waiting.grow_old(reference, age)
        await waiting.hint(reference, queue=(WALK_QUEUE, BULK_QUEUE)[number % 2])
        assert age <= await waiting.age() < age + 10
        await waiting.clear()


@pytest.fixture
async def cluster_store(primaries: RedisCluster) -> AsyncIterator[Store]:
    store = Store.open(Settings(redis_url=primaries.address(), secret_key=SECRET_KEY))
    yield store
    await store.close()


@pytest.fixture
def primaries() -> Iterator[RedisCluster]:
    with running_cluster(3, 0) as started:
        yield started


@pytest.mark.parametrize(
    ("depth", "places"),
    [
        (0, []),
        (FIRST_HINTS, []),
        (FIRST_HINTS + 1, [FIRST_HINTS]),
        (FIRST_HINTS + SPREAD_HINTS, [*range(FIRST_HINTS, FIRST_HINTS + SPREAD_HINTS)]),
        (808, [8, 108, 208, 308, 408, 508, 608, 708]),
    ],
)
def test_places_are_spread_behind_the_first_hints(depth: int, places: Sequence[int]) -> None:
    assert spread_places(depth) == places
