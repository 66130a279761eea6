"""The sweeper's loop: only a leader with a trusted clock sweeps, and no duty stops another."""

import asyncio
import time
from collections.abc import Callable

import pytest

from engine.errors import Unavailable
from engine.ids.partitions import partition_of
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.dispatch.worker_leases import Leadership, Leases
from engine.store.media import AssetSource
from engine.store.redis import keyspace, process_keys
from engine.store.redis.errors import StoreFault
from engine.telemetry import metrics
from tests.support.eventually import eventually
from tests.support.factories import Runner
from tests.support.workers.lost_executions import begin, lose
from tests.support.workers.sweepers import LEASE_SECONDS, make_sweeper
from workers.feeding.feeders import make_feeders
from workers.recovery.clock import RecoveryClock
from workers.recovery.sweeper import Sweeper, sweeper_duties


@pytest.fixture
async def sweeper(store: Store, settings: Settings) -> Sweeper:
    """A sweeper that has watched Redis's clock for a while beside a leader that is gone."""
    sweeper = make_sweeper(store, settings)
    await store.leases.take_lead("before", 60_000)
    await sweeper.tick()
    await store.client.send("DEL", process_keys.leader())
    sweeper.clock.spared_until = 0.0
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

    await sweeper.tick()

    assert set(await store.leases.workers()) == left


async def test_a_worker_that_was_seen_dying_is_not_spared(
    store: Store, runner: Runner, sweeper: Sweeper, up_for: Callable[[int], None]
) -> None:
    up_for(1)
    await lose(store, await begin(runner))
    await store.leases.end_lease("dead")

    await sweeper.tick()

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

    async def fail_once(leases: Leases, worker_id: str, lease_ms: int, *, key: str) -> Leadership:
        if not failed.is_set():
            failed.set()
            raise error
        return await real(leases, worker_id, lease_ms, key=key)

    monkeypatch.setattr(Leases, "take_lead", fail_once)
    reference = await begin(runner)
    await lose(store, reference)

    sweeping = asyncio.create_task(sweeper.run())
    await failed.wait()
    await eventually(lambda: store.client.send("GET", process_keys.leader()))
    await asyncio.sleep(0.2)
    sweeping.cancel()

    assert await store.leases.held("dead") == [reference]


async def test_no_worker_is_taken_for_dead_after_the_machine_slept(
    store: Store, runner: Runner, sweeper: Sweeper, up_for: Callable[[int], None]
) -> None:
    up_for(10_000)
    await lose(store, await begin(runner))
    sweeper._ticked_at = time.time() - 2 * LEASE_SECONDS

    await sweeper.tick()

    assert set(await store.leases.workers()) == {"dead"}


@pytest.mark.parametrize(
    ("duty", "named"),
    [
        ("engine.services.metrics.publishing.retire", "fold metrics"),
        ("engine.store.dispatch.worker_leases.Leases.prune", "prune"),
        ("engine.store.webhooks.deliveries.Deliveries.promote", "deliver"),
        ("engine.store.dispatch.hints.HintSender.depth", "resend"),
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


async def test_only_the_leader_sweeps(
    store: Store, runner: Runner, sweeper: Sweeper, up_for: Callable[[int], None]
) -> None:
    up_for(10_000)
    await store.leases.take_lead("somebody else", 60_000)
    await lose(store, await begin(runner))

    await sweeper.tick()

    assert set(await store.leases.workers()) == {"dead"}


async def test_the_leader_removes_unneeded_media(
    store: Store, settings: Settings, account: Account
) -> None:
    sweeper = make_sweeper(store, settings)
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


async def test_executions_are_left_to_the_archiver_where_there_is_a_history(
    store: Store, settings: Settings
) -> None:
    media_service = MediaService.from_settings(settings, store)

    def names(*, has_history: bool) -> set[str]:
        duties = sweeper_duties(
            *(store, "me", RecoveryClock(LEASE_SECONDS)),
            retention_days=1,
            media_service=media_service,
            feeders=make_feeders(store, settings, media_service),
            has_history=has_history,
        )
        return {duty.name for duty in duties}

    removing = {"prune", "remove outputs"}
    assert names(has_history=False) - names(has_history=True) == removing
