"""Duties of the leading sweeper, on a real store."""

import asyncio
import time
from collections.abc import Callable

import pytest

from engine import metrics
from engine.access.capabilities import Tier
from engine.errors import Unavailable
from engine.executions.execution import ExecutionStatus
from engine.ids.partitions import partition_of
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.executions.steps import Step
from engine.store.media import AssetSource
from engine.store.queue_selector import BULK_FROM
from engine.store.redis import keyspace
from engine.store.redis.errors import StoreFault
from engine.store.worker_leases import Leadership, Leases
from tests.support.eventually import eventually
from tests.support.factories import Runner, greeting
from tests.support.workers.leases import beat
from workers.recovery.sweeper import Sweeper

DAY_MS = 86_400_000
LEASE_SECONDS = 3.0


@pytest.fixture
async def sweeper(store: Store) -> Sweeper:
    """A sweeper that has watched Redis's clock for a while beside a leader that is gone."""
    sweeper = Sweeper(store, "me", lease_seconds=LEASE_SECONDS, retention_days=1)
    await store.leases.take_lead("before", 60_000)
    await sweeper._tick()
    await store.client.send("DEL", keyspace.leader())
    sweeper._recover_after = 0.0
    return sweeper


@pytest.fixture
def up_for(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Set the uptime of Redis."""

    def say(seconds: int) -> None:
        async def uptime_seconds(leases: Leases) -> int:
            return seconds

        monkeypatch.setattr(Leases, "uptime_seconds", uptime_seconds)

    return say


def failures_of(duty: str) -> float:
    labels = {"duty": duty}
    return metrics.REGISTRY.get_sample_value("headrace_sweeps_failed_total", labels) or 0


async def failures_logged(duty: str) -> float:
    return failures_of(duty)


async def begin(runner: Runner) -> str:
    """Accept an execution without a hint; returns its reference."""
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"})
    await runner.store.client.send("DEL", keyspace.hints("walk"))
    return keyspace.reference(runner.account.id, execution_id)


async def lose(store: Store, reference: str, worker_id: str = "dead") -> None:
    """Let a worker die that holds the execution."""
    assert await store.walks.claim(reference, worker_id)
    await beat(store, worker_id, 60_000)
    await store.client.send("ZADD", keyspace.workers(), 2, worker_id)  # a lease long over


async def make_due(store: Store, runner: Runner, reference: str) -> None:
    due = keyspace.due(partition_of(runner.account.id))
    await store.client.send("ZADD", due, 1, reference)


async def test_executions_of_a_dead_worker_are_given_back_and_hinted_at(
    store: Store, runner: Runner, sweeper: Sweeper
) -> None:
    references = [await begin(runner) for _ in range(3)]
    for reference in references:
        await lose(store, reference)
    await beat(store, "alive", 60_000)

    await sweeper.recover()

    assert await store.hints.depth() == 3
    assert set(await store.leases.workers()) == {"alive"}
    for reference in references:
        claimed = await store.walks.claim(reference, "other")
        assert claimed is not None
        assert claimed.lost == 1


async def test_a_sweeper_never_buries_its_own_worker(
    store: Store, runner: Runner, sweeper: Sweeper
) -> None:
    reference = await begin(runner)
    await lose(store, reference, "me")

    await sweeper.recover()

    assert await store.leases.held("me") == [reference]
    assert set(await store.leases.workers()) == {"me"}


async def test_due_executions_are_hinted_at_once_in_a_while(
    store: Store, runner: Runner, sweeper: Sweeper
) -> None:
    reference = await begin(runner)
    await make_due(store, runner, reference)

    await sweeper.resend()
    await sweeper.resend()

    hints = await store.client.send("LRANGE", keyspace.hints("walk"), 0, -1)
    assert hints == [f"walk|{reference}".encode()]


async def test_hints_of_an_account_with_much_under_way_wait_behind_others(
    store: Store, runner: Runner, sweeper: Sweeper
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

    await sweeper.resend()

    for queue, name in (("bulk", reference), ("walk", others)):
        hints = await store.client.send("LRANGE", keyspace.hints(queue), 0, -1)
        assert hints == [f"walk|{name}".encode()]


async def test_hints_in_a_long_queue_are_sent_again_later(
    store: Store, runner: Runner, sweeper: Sweeper
) -> None:
    reference = await begin(runner)
    await store.hints.send(["acc/x"] * 2_000)
    await make_due(store, runner, reference)
    now = await store.leases.now()

    await sweeper.resend()

    due = keyspace.due(partition_of(runner.account.id))
    assert int(await store.client.send("ZSCORE", due, reference)) >= now + 7_000


async def test_old_versions_of_a_deleted_workflow_go_with_the_next_round(
    store: Store, runner: Runner, sweeper: Sweeper
) -> None:
    slug = await runner.save(greeting())
    current = await store.workflows.get(slug)
    await store.workflows.update(runner.account.id, slug, current.document, [])
    await store.workflows.delete(runner.account.id, slug)

    assert await sweeper.prune() is False

    fields = await store.client.send("HKEYS", keyspace.workflow(runner.account.id, slug))
    assert b"d2" in fields
    assert b"d1" not in fields


async def test_executions_that_ended_long_ago_are_removed_batch_by_batch(
    store: Store, runner: Runner, sweeper: Sweeper
) -> None:
    now = await store.leases.now()
    finished = keyspace.finished(partition_of(runner.account.id))
    for age_ms in (DAY_MS + 60_000, DAY_MS - 60_000):
        reference = await begin(runner)
        claimed = await store.walks.claim(reference, "w")
        assert claimed is not None
        step = Step(end=ExecutionStatus.CANCELLED)
        await store.walks.advance(claimed.lease, 1, step)
        await store.client.send("ZADD", finished, now - age_ms, reference)

    assert await sweeper.prune() is True
    assert await sweeper.prune() is False

    listed, _ = await store.executions.list(runner.account.id)
    assert [keyspace.reference(runner.account.id, one.id) for one in listed] == [reference]


async def test_a_full_redis_keeps_nothing_from_going_on(
    store: Store, runner: Runner, sweeper: Sweeper
) -> None:
    waiting, lost = await begin(runner), await begin(runner)
    await lose(store, lost)
    await make_due(store, runner, waiting)
    await store.client.send("CONFIG", "SET", "maxmemory", 1)

    await sweeper.recover()
    await sweeper.resend()

    assert await store.hints.depth() >= 2


@pytest.mark.parametrize(("seconds", "left"), [(1, {"dead"}), (10_000, set())])
async def test_no_worker_is_taken_for_dead_soon_after_redis_came_back(
    seconds: int,
    left: set[str],
    store: Store,
    runner: Runner,
    sweeper: Sweeper,
    up_for: Callable[[int], None],
) -> None:
    up_for(seconds)
    await lose(store, await begin(runner))

    await sweeper._tick()

    assert set(await store.leases.workers()) == left


async def test_a_worker_that_was_seen_dying_is_not_spared(
    store: Store, runner: Runner, sweeper: Sweeper, up_for: Callable[[int], None]
) -> None:
    up_for(1)
    await lose(store, await begin(runner))
    await store.leases.end_lease("dead")

    await sweeper._tick()

    assert await store.leases.workers() == {}


@pytest.mark.parametrize("error", [Unavailable(), StoreFault("WRONGTYPE"), ArithmeticError()])
async def test_no_worker_is_taken_for_dead_after_a_failed_tick(
    error: Exception,
    store: Store,
    runner: Runner,
    sweeper: Sweeper,
    up_for: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After any error: a leader without readings cannot know which workers live."""
    up_for(1_000)
    real, failed = Leases.take_lead, asyncio.Event()

    async def fail_once(leases: Leases, worker_id: str, lease_ms: int) -> Leadership:
        if not failed.is_set():
            failed.set()
            raise error
        return await real(leases, worker_id, lease_ms)

    monkeypatch.setattr(Leases, "take_lead", fail_once)
    monkeypatch.setattr("workers.recovery.sweeper.TICK_SECONDS", 0.01)
    reference = await begin(runner)
    await lose(store, reference)

    sweeping = asyncio.create_task(sweeper.run())
    await failed.wait()
    await eventually(lambda: store.client.send("GET", keyspace.leader()))
    await asyncio.sleep(0.2)
    sweeping.cancel()

    assert await store.leases.held("dead") == [reference]


async def test_one_execution_that_cannot_be_given_back_holds_up_no_other(
    store: Store, runner: Runner, sweeper: Sweeper
) -> None:
    references = [await begin(runner) for _ in range(5)]
    for reference in references:
        await lose(store, reference)
    key = keyspace.execution(*keyspace.parse_reference(references[2]))
    await store.client.send("DEL", key)
    await store.client.send("SET", key, "not a record")

    await sweeper.recover()

    assert await store.hints.depth() == 4
    assert await store.leases.held("dead") == [references[2]]


async def test_no_worker_is_taken_for_dead_after_the_machine_slept(
    store: Store, runner: Runner, sweeper: Sweeper, up_for: Callable[[int], None]
) -> None:
    up_for(10_000)
    await lose(store, await begin(runner))
    sweeper._ticked_at = time.time() - 2 * LEASE_SECONDS

    await sweeper._tick()

    assert set(await store.leases.workers()) == {"dead"}


@pytest.mark.parametrize(
    ("duty", "named"),
    [
        ("workers.recovery.sweeper.metrics.retire", "fold metrics"),
        ("engine.store.worker_leases.Leases.prune", "prune"),
        ("engine.store.deliveries.Deliveries.promote", "deliver"),
        ("engine.store.hints.HintSender.depth", "resend"),
    ],
)
@pytest.mark.parametrize("error", [Unavailable("away"), ValueError("a bug")])
async def test_a_duty_that_fails_each_time_holds_up_no_other(
    duty: str,
    named: str,
    error: Exception,
    store: Store,
    runner: Runner,
    sweeper: Sweeper,
    up_for: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(*given: object) -> None:
        raise error

    monkeypatch.setattr(duty, fail)
    up_for(10_000)
    failed = failures_of(named)
    running = asyncio.create_task(sweeper.run())
    await eventually(lambda: failures_logged(named), lambda count: count > failed)

    await lose(store, await begin(runner))

    # Where the machine is slow, all are spared for a lease.
    await eventually(store.leases.workers, lambda workers: not workers)
    assert named in {getattr(record, "duty", None) for record in caplog.records}
    running.cancel()


async def test_one_dead_worker_that_cannot_be_buried_holds_up_no_other(
    store: Store, runner: Runner, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Leases.held

    async def fail(leases: Leases, worker_id: str) -> list[str]:
        if worker_id == "dead":
            raise ValueError("a bug")
        return await held(leases, worker_id)

    monkeypatch.setattr(Leases, "held", fail)
    await lose(store, await begin(runner))
    await lose(store, await begin(runner), "later")

    await sweeper.recover()

    assert set(await store.leases.workers()) == {"dead"}


async def test_only_the_leader_sweeps(
    store: Store, runner: Runner, sweeper: Sweeper, up_for: Callable[[int], None]
) -> None:
    up_for(10_000)
    await store.leases.take_lead("somebody else", 60_000)
    await lose(store, await begin(runner))

    await sweeper._tick()

    assert set(await store.leases.workers()) == {"dead"}


async def test_the_leader_removes_unneeded_media(
    store: Store, settings: Settings, account: Account
) -> None:
    media_service = MediaService.of(settings, store)
    sweeper = Sweeper(
        store, "me", lease_seconds=LEASE_SECONDS, retention_days=1, media_service=media_service
    )
    asset_id = (await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)).asset_id
    partition = partition_of(asset_id)
    await store.client.send("HSET", keyspace.asset(partition, asset_id), "state", "hidden")
    await store.assets.abandon_upload(asset_id)
    sweeping = asyncio.create_task(sweeper.run())

    async def is_gone() -> bool:
        return not await store.client.send("EXISTS", keyspace.asset(partition, asset_id))

    await eventually(is_gone)
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)
