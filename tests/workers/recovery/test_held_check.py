"""A worker gives back executions that it holds and does not walk, and no others."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
import redis

from engine.access.capabilities import Tier
from engine.executions.statuses import ExecutionStatus
from engine.ids.partitions import MAX_COUNT, partition_of
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import CompletionNotifier, Store
from engine.store.redis import keyspace
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from tests.support.eventually import eventually
from tests.support.factories import Runner, greeting, http_fan
from tests.support.http.scripted_server import Target
from tests.support.redis.installation import mark, process_with
from tests.support.workers.held_walker import WORKER, HeldWalker, begin_waiting, executions_held
from workers.main import worker
from workers.recovery import held_check
from workers.recovery.held_check import AT_ONCE, HeldCheck


@pytest.fixture
def check(store: Store, held_walker: HeldWalker) -> HeldCheck:
    return HeldCheck(store, held_walker.walker, WORKER)


async def begin(runner: Runner) -> str:
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"})
    return keyspace.reference(runner.account.id, execution_id)


async def test_an_unwalked_execution_is_given_back_at_the_second_check(
    store: Store, runner: Runner, check: HeldCheck
) -> None:
    reference = await begin(runner)
    assert await store.walks.claim(reference, WORKER)

    await check.check()
    held = await store.leases.held(WORKER)
    await check.check()

    assert held == [reference]
    assert await store.leases.held(WORKER) == []
    assert await store.walks.claim(reference, "other")


async def test_a_claim_that_differs_at_the_second_check_is_kept(
    store: Store, runner: Runner, check: HeldCheck
) -> None:
    reference = await begin(runner)
    for _ in range(3):
        assert await store.walks.claim(reference, WORKER)
        await check.check()
        await store.walks.give_back(reference, WORKER, is_lost=False)

    assert await store.walks.claim(reference, WORKER)
    await check.check()

    assert await store.leases.held(WORKER) == [reference]


async def test_a_walked_execution_is_left_alone(
    store: Store, runner: Runner, held_walker: HeldWalker, check: HeldCheck
) -> None:
    reference = await begin_waiting(runner, held_walker)

    for _ in range(4):
        await check.check()

    assert await store.leases.held(WORKER) == [reference]
    held_walker.gate.opened.set()
    execution = await runner.end(keyspace.parse_reference(reference)[1])
    assert len(held_walker.gate.calls) == 1
    assert execution.nodes[0].attempts == 1


async def test_executions_held_by_others_are_left_alone(
    store: Store, runner: Runner, check: HeldCheck
) -> None:
    reference = await begin(runner)
    assert await store.walks.claim(reference, "other")

    for _ in range(3):
        await check.check()

    assert await store.leases.held("other") == [reference]


async def test_a_walk_without_a_lease_ends_at_the_second_check(
    store: Store, runner: Runner, held_walker: HeldWalker, check: HeldCheck
) -> None:
    reference = await begin_waiting(runner, held_walker)
    await store.walks.give_back(reference, WORKER, is_lost=True)
    assert await store.walks.claim(reference, "other")

    await check.check()
    await check.check()

    async def is_over() -> bool:
        return executions_held(held_walker.walker) == 0

    await eventually(is_over)
    assert len(held_walker.gate.calls) == 1
    assert await store.leases.held("other") == [reference]


async def test_an_unwalked_execution_that_cannot_be_given_back_delays_no_other(
    store: Store, runner: Runner, check: HeldCheck, caplog: pytest.LogCaptureFixture
) -> None:
    references = [await begin(runner) for _ in range(3)]
    for reference in references:
        assert await store.walks.claim(reference, WORKER)
    key = keyspace.execution(*keyspace.parse_reference(references[1]))
    await store.client.send("DEL", key)
    await store.client.send("SET", key, "not a record")

    for _ in range(4):
        await check.check()

    assert await store.leases.held(WORKER) == [references[1]]
    logged = [each for each in caplog.records if each.message.startswith("cannot give back")]
    assert len(logged) == 1


async def test_a_worker_that_has_claimed_nothing_for_a_while_looks_seldom(
    store: Store, runner: Runner, held_walker: HeldWalker, check: HeldCheck
) -> None:
    at_first = check.is_idle
    reference = await begin_waiting(runner, held_walker)
    busy = check.is_idle
    held_walker.gate.opened.set()
    await eventually(_async(lambda: not held_walker.walker.has_task(reference)))
    just_after = check.is_idle
    held_walker.walker.claimed_at -= held_check.IDLE_AFTER_SECONDS
    later = check.is_idle

    assert (at_first, busy, just_after, later) == (True, False, False, True)


async def test_a_worker_that_holds_something_looks_often_however_long_ago_it_claimed_it(
    store: Store, runner: Runner, held_walker: HeldWalker, check: HeldCheck
) -> None:
    await begin_waiting(runner, held_walker)
    held_walker.walker.claimed_at -= held_check.IDLE_AFTER_SECONDS
    walked = check.is_idle
    stranger = HeldCheck(store, HeldWalker(store, worker_id="other").walker, WORKER)
    await stranger.check()

    assert (walked, stranger.is_idle) == (False, False)


@pytest.fixture
def many_partitions(redis_url: str, redis_cleaner: redis.Redis) -> Iterator[None]:
    mark(redis_cleaner, partition_count=MAX_COUNT)
    with process_with(MAX_COUNT):
        yield


@pytest.mark.usefixtures("many_partitions")
async def test_a_check_reads_a_bounded_number_of_many_partitions(
    redis_cleaner: redis.Redis, settings: Settings
) -> None:
    async with opened_runner(settings) as runner:
        store, walker = runner.store, HeldWalker(runner.store).walker
        check = HeldCheck(store, walker, WORKER)
        await check.check()  # the first one reads all
        others = set(range(MAX_COUNT)) - {partition_of(runner.account.id)}
        walker.claimed_in = dict.fromkeys(sorted(others)[::2], time.monotonic())
        reference = await begin(runner)
        assert await store.walks.claim(reference, WORKER)
        redis_cleaner.config_resetstat()

        for _ in range(MAX_COUNT // (AT_ONCE // 2) + 1):
            await check.check()

        reads = redis_cleaner.info("commandstats")["cmdstat_hgetall"]["calls"]
        assert await store.leases.held(WORKER) == []
        assert reads <= 33 * AT_ONCE + 1


@pytest.mark.usefixtures("many_partitions")
async def test_a_check_reads_the_partitions_of_late_claims_more_often(settings: Settings) -> None:
    async with opened_runner(settings) as runner:
        walker = HeldWalker(runner.store).walker
        check = HeldCheck(runner.store, walker, WORKER)
        await check.check()
        reference = await begin(runner)
        walker.take_hint(reference)
        await runner.end(keyspace.parse_reference(reference)[1])
        for _ in range(5):
            await check.check()  # others come in turn
        assert await runner.store.walks.claim(reference := await begin(runner), WORKER)

        await check.check()
        await check.check()

        assert await runner.store.leases.held(WORKER) == []


@contextlib.asynccontextmanager
async def opened_runner(settings: Settings) -> AsyncIterator[Runner]:
    """Open a store, an account of its own and its notifier."""
    store = Store.open(settings, ObjectStore.from_settings(settings))
    account = await store.accounts.create(email="ada@example.com", tier=Tier.PRO)
    async with CompletionNotifier.open(RedisAddress.parse(settings.redis_url)) as notifier:
        yield Runner(store, account, notifier)
    await store.close()


async def copy_of(client: Client) -> list[tuple[bytes, bytes]]:
    """Return all data, as a copy of Redis's files would have them."""
    keys = await client.send("KEYS", "*")
    found = await asyncio.gather(*(client.send("DUMP", key) for key in keys))
    return [(key, data) for key, data in zip(keys, found, strict=True) if data is not None]


async def set_back(client: Client, copy: list[tuple[bytes, bytes]]) -> None:
    """Restore the state of the copy in one step."""
    commands = [client.send("MULTI"), client.send("FLUSHALL")]
    commands += [client.send("RESTORE", key, 0, data) for key, data in copy]
    await asyncio.gather(*commands, client.send("EXEC"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.recovery.held_check.CHECK_SECONDS", 0.05)
    monkeypatch.setattr(
        "workers.recovery.held_check.IDLE_SECONDS", 60.0
    )  # the worker is not idle for long
    monkeypatch.setattr("workers.recovery.sweeper.TICK_SECONDS", 0.05)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("point", "meanwhile"),
    [
        ("accepted", "ended"),
        ("held", "ended"),
        ("held", "walked"),
        ("held", "emptied"),
        ("cancel requested", "ended"),
    ],
)
async def test_executions_under_way_when_redis_is_set_back_end(
    point: str, meanwhile: str, settings: Settings, store: Store, runner: Runner, target: Target
) -> None:
    """By then the worker has ended it, is still at it, or has found an empty Redis in between."""
    slug = await runner.save(http_fan(f"{target.url}/slow/0.3", 1))
    accepted = await runner.begin(slug)
    at_first = await copy_of(store.client)
    async with worker(settings) as walker:
        await eventually(_async(lambda: target.calls))
        copy = at_first if point == "accepted" else await copy_of(store.client)
        if point == "cancel requested":
            # Taken before the order reaches the worker, as far as the record shows.
            copy = await _copy_with_cancel(store, runner, accepted, copy)
        if meanwhile == "ended":
            await runner.end(accepted)
        elif meanwhile == "emptied":
            await store.client.send("FLUSHALL")
            await eventually(_async(lambda: executions_held(walker) == 0))
        await set_back(store.client, copy)

        execution = await runner.end(accepted)

        cancelled = point == "cancel requested"
        status = ExecutionStatus.CANCELLED if cancelled else ExecutionStatus.COMPLETED
        assert execution.status is status
        active = await store.client.send("SCARD", keyspace.active(runner.account.id))
        assert active == 0


async def _copy_with_cancel(
    store: Store, runner: Runner, execution_id: str, copy: list[tuple[bytes, bytes]]
) -> list[tuple[bytes, bytes]]:
    key = keyspace.execution(runner.account.id, execution_id)
    await store.client.send("HSET", key, "status", "cancel_requested")
    changed = await copy_of(store.client)
    await store.client.send("HSET", key, "status", "processing")
    return changed


def _async(read: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    async def call() -> object:
        return read()

    return call


async def test_a_failed_give_back_is_remembered_only_while_it_is_held(
    store: Store, runner: Runner, check: HeldCheck, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await begin(runner)
    assert await store.walks.claim(reference, WORKER)
    give_back = store.walks.give_back

    async def fail(*arguments: object, **options: object) -> bool:
        raise RuntimeError

    monkeypatch.setattr(store.walks, "give_back", fail)
    for _ in range(3):
        await check.check()
    assert list(check._not_before) == [reference]
    monkeypatch.setattr(store.walks, "give_back", give_back)
    assert await store.walks.give_back(reference, WORKER, is_lost=False)

    await check.check()

    assert check._not_before == {}
