"""One worker process: settings, resources, actors, and an orderly end."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import uvloop

from engine.access.approval_links import ApprovalLinks
from engine.access.sealing import Sealer
from engine.errors import EngineError
from engine.history.database.own_database import OwnDatabase
from engine.history.reading.archive import open_archive
from engine.media.objects import ObjectStore
from engine.process import setup, spare_memory
from engine.process.pool import Pool
from engine.process.stop_signals import Stop
from engine.services.background_tasks import background
from engine.services.execution_log import execution_log
from engine.services.media import MediaService, base_url
from engine.services.metrics import machine_clock, publishing
from engine.services.metrics.vitals import Vitals
from engine.services.traces.process_traces import trace_process
from engine.settings import Settings
from engine.store import Store
from engine.store.archive.state import ArchiverStates
from engine.store.dispatch.worker_leases import make_worker_id
from engine.store.redis import channels
from engine.store.redis.address import RedisAddress
from engine.store.redis.heartbeat import Heartbeat
from engine.store.redis.subscription import Subscription
from engine.telemetry import log
from engine.telemetry.metrics import POOL_BUSY, POOL_SIZE, WORKER_SLOTS
from workers import actors
from workers.feeding.feeders import Feeders, make_feeders
from workers.health.readiness import Phase, WorkerHealth, serve_health
from workers.history.process import ArchiverProcess
from workers.history.standby import Standby
from workers.media.assets import AccountMedia, OwnMedia
from workers.media.covers import CoverFetcher
from workers.nodes.documents import DocumentPool
from workers.nodes.executor import PRELOAD, Executor
from workers.nodes.local_models import LocalPool, SpeechPool
from workers.nodes.memory import MemoryBudget
from workers.nodes.secrets import StoredSecrets
from workers.outbound.client import Egress
from workers.providers.limiter.call_limiter import CallLimiter
from workers.providers.model_caller import ModelCaller
from workers.recovery.clock import RecoveryClock
from workers.recovery.held_check import HeldCheck
from workers.recovery.sweeper import Sweeper, sweeper_duties
from workers.runtime.broker import HintBroker, LoopWorker
from workers.runtime.dramatiq_command import refuse_command
from workers.runtime.limits import ConcurrencyLimit
from workers.runtime.own_actors import OwnActors
from workers.runtime.variables import own_variables, publish_variables
from workers.walk.walker import Walker, open_pure_walk
from workers.webhooks.host_limits import HostLimits
from workers.webhooks.sender import WebhookSender

LISTED_PAUSE_SECONDS = 0.02

refuse_command()


def run(settings: Settings) -> int:
    """Work until a signal, then drain. Returns the exit code.

    Raises SchemaTooNew, without draining, once the store has a schema that is unknown here: nothing
    that a walk does from then on can be recorded.
    """
    log.set_up(settings.log_level)
    setup.set_up()
    standby = Standby.fork() if settings.database_url else None
    uvloop.run(_work(settings, OwnActors.load(settings), standby))
    return 0


async def _work(settings: Settings, own_actors: OwnActors | None, standby: Standby | None) -> None:
    stop = Stop()
    stop.catch_signals()
    async with worker(settings, stop, own_actors, standby):
        await stop.asked.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerResources:
    """Resources that the parts of one worker share."""

    settings: Settings
    worker_id: str
    store: Store
    egress: Egress
    media_service: MediaService
    limiter: CallLimiter
    health: WorkerHealth
    stop: Stop


@contextlib.asynccontextmanager
async def worker(
    settings: Settings,
    stop: Stop | None = None,
    own_actors: OwnActors | None = None,
    standby: Standby | None = None,
) -> AsyncIterator[Walker]:
    """Run a whole worker for as long as the context lasts; drains at its end.

    `own_actors` are the operator's actors, which it runs too, `standby` its archiver. It waits for
    the store before it takes hints, unless it is to stop.

    Asks for the stop, and raises SchemaTooNew at its end, once the store has a schema that is
    unknown here.
    """
    async with (
        _open_resources(settings, stop or Stop()) as resources,
        _open_walker(resources) as (walker, slots),
        _run_heartbeat(resources) as heartbeat,
        _run_background(resources, walker, heartbeat, standby),
        _run_sender(resources) as stop_sending,
        _run_consumers(resources, slots, lambda broker: actors.declare_walk(broker, walker)),
    ):
        if own_actors is not None:
            await own_actors.start(None if settings.queue_url else resources.store.guard)
        resources.health.phase = Phase.TAKING
        yield walker
        resources.health.phase = Phase.DRAINING
        slots.close()
        stop_sending()
        seconds = _drain_seconds(resources)
        stops = [] if own_actors is None else [own_actors.stop(seconds)]
        await asyncio.gather(walker.drain(seconds, resources.stop), *stops)
    resources.store.guard.raise_for_schema()


def _drain_seconds(resources: WorkerResources) -> float:
    """Return the time for running nodes to end; 0 where nothing can be recorded any more."""
    knows_schema = resources.store.guard.knows_schema
    return resources.settings.drain_seconds if knows_schema else 0


@contextlib.asynccontextmanager
async def _open_resources(settings: Settings, stop: Stop) -> AsyncIterator[WorkerResources]:
    worker_id = make_worker_id()
    log.bind(worker_id=worker_id)
    async with contextlib.AsyncExitStack() as stack:
        store = Store.open(settings, ObjectStore.from_settings(settings), open_archive(settings))
        stack.push_async_callback(store.close)
        await stack.enter_async_context(trace_process(store, "worker", worker_id))
        stack.enter_context(execution_log(settings, store.ends))
        health = await stack.enter_async_context(serve_health(settings, store))
        egress = Egress.for_workflows(settings, store.outbound)
        stack.push_async_callback(egress.close)
        limiter = CallLimiter(store.governor, worker_id)
        await stack.enter_async_context(limiter.running(store.address))
        yield WorkerResources(
            settings=settings,
            worker_id=worker_id,
            store=store,
            egress=egress,
            media_service=MediaService.from_settings(settings, store),
            limiter=limiter,
            health=health,
            stop=stop,
        )


@contextlib.asynccontextmanager
async def _open_walker(
    resources: WorkerResources,
) -> AsyncIterator[tuple[Walker, ConcurrencyLimit]]:
    """Yield the walker, and the slots of its executions; afterwards end the worker's lease."""
    settings = resources.settings
    cpu_slots = settings.cpu_slots or os.cpu_count() or 1
    memory = MemoryBudget(settings.worker_memory_bytes)
    slots = ConcurrencyLimit(settings.worker_slots, memory.admits)
    memory.on_capacity(slots.wake)
    memory.export_metrics()
    WORKER_SLOTS.set(settings.worker_slots)
    async with _run_executor(resources, cpu_slots) as executor:
        walker = Walker(
            store=resources.store,
            executor=executor,
            worker_id=resources.worker_id,
            cpu_slots=cpu_slots,
            max_bytes=settings.max_run_bytes,
            release=slots.release_slot,
            load_gate=slots.load_gate,
            memory=memory,
            unknown_wait_ms=int(settings.unknown_wait_minutes * 60_000),
        )
        try:
            yield walker, slots
        finally:
            await _resign(resources)


@contextlib.asynccontextmanager
async def _run_heartbeat(resources: WorkerResources) -> AsyncIterator[Heartbeat]:
    """Run the heartbeat; the context begins when one is on record, or the worker is to stop."""
    settings, store, worker_id = resources.settings, resources.store, resources.worker_id
    heartbeat = Heartbeat(store.address, worker_id, settings.lease_seconds, store.guard)
    heartbeat.publish(own_variables(settings.demo_provider_url))
    store.guard.stop_on_new_schema(resources.stop.asked.set)
    heartbeat.start()
    try:
        await _wait_until_listed(store, worker_id, resources.stop.asked)
        yield heartbeat
    finally:
        heartbeat.stop()


@contextlib.asynccontextmanager
async def _run_background(
    resources: WorkerResources, walker: Walker, heartbeat: Heartbeat, standby: Standby | None
) -> AsyncIterator[None]:
    """Run the tasks of a worker beside its walks and webhooks."""
    settings, store, worker_id = resources.settings, resources.store, resources.worker_id
    subscription = Subscription(store.address, channels.cancels())
    held_check = HeldCheck(store, walker, worker_id)
    own_database = OwnDatabase(settings.database_url, ArchiverStates(store.client), worker_id)
    async with (
        _follow_models(store),
        background(
            "variables", lambda: publish_variables(heartbeat.publish, settings.demo_provider_url)
        ),
        subscription.running(lambda data: walker.cancel(data.decode(errors="replace"))),
        background("vitals", Vitals("worker", store).run),
        background("metrics", lambda: publishing.publish(store, worker_id)),
        background("machine clock", lambda: machine_clock.watch(store)),
        background("own database", own_database.watch),
        background("spare memory", spare_memory.trim_periodically),
        background("held check", held_check.run),
        _run_feeders(resources, walker) as feeders,
        _run_sweeper(resources, heartbeat, feeders),
        _run_archiver(resources, own_database, standby),
    ):
        yield


@contextlib.asynccontextmanager
async def _run_executor(resources: WorkerResources, cpu_slots: int) -> AsyncIterator[Executor]:
    """Yield an executor with its child processes, model calls and media store."""
    settings, media_service = resources.settings, resources.media_service
    async with contextlib.AsyncExitStack() as stack:
        pools = Pool(slots=cpu_slots, preload=PRELOAD), LocalPool(), DocumentPool(), SpeechPool()
        pool, local_pool, document_pool, speech_pool = pools
        for each in (*pools, providers := Egress.for_providers(settings)):
            stack.push_async_callback(each.close)
        POOL_BUSY.set_function(lambda: sum(each.busy for each in pools))
        POOL_SIZE.set(sum(each.limit for each in pools))
        assets = AccountMedia(media_service, resources.egress, providers)
        models = ModelCaller(
            providers,
            limiter=resources.limiter,
            media_store=assets,
            embed=local_pool.embed,
            speech=speech_pool,
            names_variables=settings.tell_setup,
        )
        yield Executor(
            OwnMedia(media_service, resources.egress),
            pool,
            models,
            assets,
            local_pool=local_pool,
            document_pool=document_pool,
            secrets=StoredSecrets(resources.store.secrets),
        )


async def _wait_until_listed(store: Store, worker_id: str, stopping: asyncio.Event) -> None:
    """Wait until a heartbeat is on record: leases of an unlisted worker would not be recovered."""
    while not stopping.is_set():
        with contextlib.suppress(EngineError):
            if worker_id in await store.leases.workers():
                return
        await asyncio.sleep(LISTED_PAUSE_SECONDS)


@contextlib.asynccontextmanager
async def _follow_models(store: Store) -> AsyncIterator[None]:
    with contextlib.suppress(EngineError):
        await store.models.look()  # executions may call a saved model
    async with background("models", lambda: store.models.watch(store.address)):
        yield


@contextlib.asynccontextmanager
async def _run_feeders(resources: WorkerResources, walker: Walker) -> AsyncIterator[Feeders]:
    """Yield the feeders, which also feed lists that begin or of which an item ends here."""
    feeders = make_feeders(
        resources.store, resources.settings, resources.media_service, open_pure_walk()
    )
    resources.store.walks.on_item_end = feeders.batches.feed_soon
    resources.store.walks.on_child_end = feeders.children.note_end
    walker.feed_children = feeders.children.feed_group
    try:
        yield feeders
    finally:
        await feeders.stop()


@contextlib.asynccontextmanager
async def _run_sweeper(
    resources: WorkerResources, heartbeat: Heartbeat, feeders: Feeders
) -> AsyncIterator[None]:
    settings, store, worker_id = resources.settings, resources.store, resources.worker_id
    clock = RecoveryClock(settings.lease_seconds)
    duties = sweeper_duties(
        store,
        worker_id,
        clock,
        retention_days=settings.retention_days,
        media_service=resources.media_service,
        feeders=feeders,
        has_history=bool(settings.database_url),
    )
    sweeper = Sweeper(store, worker_id, clock, duties, lambda: heartbeat.last_silence)
    async with background("sweeper", sweeper.run):
        yield


@contextlib.asynccontextmanager
async def _run_archiver(
    resources: WorkerResources, own_database: OwnDatabase, standby: Standby | None
) -> AsyncIterator[None]:
    """Run the archiver's process while this worker leads; none without a database."""
    settings, store, worker_id = resources.settings, resources.store, resources.worker_id
    if not settings.database_url:
        yield
        return
    process = ArchiverProcess(store, settings, worker_id, own_database, standby)
    async with background("archiver", process.run):
        yield


@contextlib.asynccontextmanager
async def _run_sender(resources: WorkerResources) -> AsyncIterator[Callable[[], None]]:
    """Run the webhook sender with its own slots and consumer, so that runs do not delay it.

    The fetcher of covers takes its few hints from the same queue.

    Yields a function that stops new attempts.
    """
    settings, store = resources.settings, resources.store
    slots = ConcurrencyLimit(settings.worker_slots)
    sender = WebhookSender(
        store=store,
        egress=resources.egress,
        links=ApprovalLinks(Sealer.from_secret_key(settings.secret_key), base_url(settings)),
        limiter=resources.limiter,
        limits=HostLimits(
            concurrency=settings.webhook_host_at_once, per_second=settings.webhook_host_per_second
        ),
        release=slots.release_slot,
        scale=settings.webhook_time_scale,
    )
    covers = CoverFetcher(store, resources.media_service, resources.egress, slots.release_slot)

    def stop() -> None:
        slots.close()
        sender.stop()

    def declare(broker: HintBroker) -> None:
        actors.declare_deliver(broker, sender)
        actors.declare_cover(broker, covers)

    async with _run_consumers(resources, slots, declare):
        yield stop
        stop()
        draining = sender.drain(_drain_seconds(resources), resources.stop)
        await asyncio.gather(draining, covers.stop())


async def _resign(resources: WorkerResources) -> None:
    store, worker_id = resources.store, resources.worker_id
    with contextlib.suppress(EngineError):
        if await store.leases.held(worker_id):
            await store.leases.end_lease(worker_id)  # others give it back at once
        else:
            await store.leases.resign(worker_id)


@contextlib.asynccontextmanager
async def _run_consumers(
    resources: WorkerResources, slots: ConcurrencyLimit, declare: Callable[[HintBroker], None]
) -> AsyncIterator[None]:
    if resources.settings.queue_url:  # hints are disposable: their own Redis has no marker
        broker = HintBroker(RedisAddress.of_queue(resources.settings), slots)
    else:
        broker = HintBroker(resources.store.address, slots, resources.store.guard)
    declare(broker)
    try:
        async with LoopWorker(broker).running():
            yield
    finally:
        broker.close()
