"""Dependencies of handlers: opened once per process, available on every request."""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TypedDict

from starlette.requests import Request

from engine.access.approval_links import ApprovalLinks
from engine.access.sealing import Sealer
from engine.errors import EngineError
from engine.executions.trace_links import TraceLinks
from engine.history.database.own_database import OwnDatabase
from engine.history.reading.archive import open_archive
from engine.media.objects import ObjectStore
from engine.process import spare_memory
from engine.process.account_semaphore import AccountSemaphore
from engine.services.approvals import Approvals
from engine.services.background_tasks import background
from engine.services.batches.start import BatchStart
from engine.services.execution_log import NONE, execution_log, open_log
from engine.services.media import MediaService, base_url
from engine.services.metrics import machine_clock, publishing
from engine.services.metrics.vitals import Vitals
from engine.services.runs.acceptance import Acceptance
from engine.services.traces.process_traces import trace_process
from engine.services.triggers.scheduled_runs import ScheduledRuns
from engine.services.triggers.trigger_checks import TriggerChecks
from engine.services.triggers.trigger_saves import TriggerSaves
from engine.services.workflows.graph_checks import GraphChecker
from engine.settings import Settings
from engine.store import CompletionNotifier, Store
from engine.store.archive.state import ArchiverStates
from engine.telemetry.lines import LineWriter
from gateway import page_files
from gateway.admission.backlog import Backlog
from gateway.admission.body_memory import BodyMemory
from gateway.admission.connections import AccountRequests, Connections
from gateway.admission.departure import Departure
from gateway.admission.failed_calls import FailedCalls
from gateway.admission.fairness import AccountFairness
from gateway.admission.memory import ResultMemory
from gateway.admission.open_streams import OpenStreams
from gateway.admission.own_origins import OwnOrigins
from gateway.admission.peers import Peers
from gateway.admission.readiness import Readiness
from gateway.admission.request_context import RequestContext, context_of
from gateway.admission.sliced_work import SlicedWork
from gateway.admission.wait_lease import WaitLease
from gateway.admission.worker_variables import VariablesReader
from gateway.live_events import LiveEvents
from gateway.mcp_host import McpHost


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Settings, store, notifier and the other dependencies of handlers."""

    settings: Settings
    store: Store
    notifier: CompletionNotifier
    wait_lease: WaitLease
    fairness: AccountFairness
    backlog: Backlog
    peers: Peers
    own_origins: OwnOrigins
    failed_calls: FailedCalls
    media_service: MediaService
    acceptance: Acceptance
    batch_start: BatchStart
    scheduled_runs: ScheduledRuns
    trigger_saves: TriggerSaves
    approvals: Approvals
    approval_links: ApprovalLinks
    connections: Connections
    account_requests: AccountRequests
    long_calls: AccountSemaphore
    """Slots of calls that take the event loop long, such as pages of lists."""
    sliced_work: SlicedWork
    open_streams: OpenStreams
    live_events: LiveEvents
    result_memory: ResultMemory
    body_memory: BodyMemory
    readiness: Readiness
    own_database: OwnDatabase
    worker_variables: VariablesReader
    checker: GraphChecker
    pages: page_files.PageFiles
    trace_links: TraceLinks
    departure: Departure
    process: str
    """Name of this process in metrics."""
    access_log: LineWriter | None = None
    """Log of requests; None: none is written."""
    mcp: McpHost = field(default_factory=McpHost)

    @property
    def stopping(self) -> asyncio.Event:
        """Event that is set when waits and streams are to end."""
        return self.departure.stopping


class State(TypedDict):
    """State that the application attaches to each request."""

    services: Services


class GatewayRequest(Request[State]):
    """A request; handlers find the services on it."""

    @property
    def services(self) -> Services:
        """Services of this process."""
        services: Services = self.scope["state"]["services"]
        return services

    @property
    def address(self) -> str:
        """Address of the installation, as its callers know it, without a slash at its end."""
        return (self.services.settings.public_url or str(self.base_url)).rstrip("/")

    @property
    def context(self) -> RequestContext:
        """State of this request."""
        return context_of(self.scope)


NO_PAGES = page_files.PageFiles(None, {})
READ_AHEAD_SECONDS = 2.0
LONG_CALLS = 64
LONG_CALLS_OF_ACCOUNT = 1
"""Each of them holds up the calls of all accounts while its answer is made."""


@contextlib.asynccontextmanager
async def open_services(
    settings: Settings, departure: Departure, *, is_serving: bool = True
) -> AsyncIterator[Services]:
    """Yield the services while the context lasts; a store that does not answer is tolerated.

    Without `is_serving`, for a few calls by this process itself, nothing is watched, published or
    read ahead, and the store must answer: raises Unavailable.
    """
    store = Store.open(settings, ObjectStore.from_settings(settings), open_archive(settings))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        if not is_serving:
            await store.ping()
        checker = await stack.enter_async_context(
            GraphChecker.open(allow_private=settings.allow_private_urls)
        )
        open_streams = OpenStreams()
        await stack.enter_async_context(open_streams.following_access(store.address))
        notifier = await stack.enter_async_context(
            CompletionNotifier.open(store.address, open_streams.wake_all)
        )
        pages = page_files.PageFiles.load(page_files.STATIC) if is_serving else NO_PAGES
        services = _make_services(
            settings, store, checker, open_streams, notifier, pages, departure
        )
        stack.push_async_callback(services.mcp.close)
        if is_serving:
            services = replace(services, access_log=_open_access_log(settings, stack))
            stack.enter_context(execution_log(settings, store.ends))
            stack.push_async_callback(services.wait_lease.resign)
            await stack.enter_async_context(trace_process(store, "gateway", services.process))
        for name, work in _background_tasks(services).items() if is_serving else ():
            await stack.enter_async_context(background(name, work))
        await _read_ahead(store)
        yield services


def _make_services(
    settings: Settings,
    store: Store,
    checker: GraphChecker,
    open_streams: OpenStreams,
    notifier: CompletionNotifier,
    pages: page_files.PageFiles,
    departure: Departure,
) -> Services:
    process = f"gateway-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    own_database = OwnDatabase(settings.database_url, ArchiverStates(store.client), process)
    media_service = MediaService.from_settings(settings, store)
    allow_http = settings.allow_private_urls
    acceptance = Acceptance(store=store, media_service=media_service, allow_http=allow_http)
    scheduled_runs = ScheduledRuns(store=store, acceptance=acceptance)
    peers = Peers.parse(settings.trusted_proxies)
    return Services(
        settings=settings,
        store=store,
        notifier=notifier,
        wait_lease=WaitLease(store, notifier.channel, settings.lease_seconds),
        fairness=AccountFairness(),
        backlog=Backlog(store.hints, settings.max_queue),
        media_service=media_service,
        acceptance=acceptance,
        batch_start=BatchStart(store=store, media_service=media_service, allow_http=allow_http),
        scheduled_runs=scheduled_runs,
        approvals=Approvals(store),
        trigger_saves=_make_trigger_saves(scheduled_runs, media_service, checker),
        approval_links=_make_approval_links(settings),
        connections=Connections(peers),
        account_requests=AccountRequests(),
        long_calls=AccountSemaphore(LONG_CALLS, LONG_CALLS_OF_ACCOUNT),
        sliced_work=SlicedWork(),
        open_streams=open_streams,
        live_events=LiveEvents(store.account_events),
        result_memory=ResultMemory(),
        body_memory=BodyMemory(),
        readiness=Readiness.of(store, own_database),
        own_database=own_database,
        worker_variables=VariablesReader(store),
        checker=checker,
        peers=peers,
        own_origins=OwnOrigins.from_settings(settings),
        pages=pages,
        failed_calls=FailedCalls(settings.failed_calls_per_minute, peers, store),
        trace_links=TraceLinks.parse(settings.trace_url),
        departure=departure,
        process=process,
    )


def _open_access_log(settings: Settings, stack: contextlib.AsyncExitStack) -> LineWriter | None:
    """Return the log of requests, which the stack closes. Raises SettingError."""
    if settings.access_log in ("", NONE):
        return None
    writer = open_log(settings.access_log, "access", "ACCESS_LOG")
    stack.callback(writer.close)
    return writer


def _make_approval_links(settings: Settings) -> ApprovalLinks:
    return ApprovalLinks(Sealer.from_secret_key(settings.secret_key), base_url(settings))


def _make_trigger_saves(
    scheduled_runs: ScheduledRuns, media_service: MediaService, checker: GraphChecker
) -> TriggerSaves:
    store, acceptance = scheduled_runs.store, scheduled_runs.acceptance
    checks = TriggerChecks(
        store=store,
        media_service=media_service,
        expressions=checker.expressions,
        allow_http=acceptance.allow_http,
    )
    return TriggerSaves(store=store, checks=checks, begin_due=scheduled_runs.settle)


def _background_tasks(services: Services) -> dict[str, Callable[[], Awaitable[None]]]:
    """Return the tasks that go on while the process serves, by their names in metrics."""
    store, settings = services.store, services.settings
    tasks: dict[str, Callable[[], Awaitable[None]]] = {
        **{name: each.watch for name, each in services.readiness.watches.items()},
        "own database": services.own_database.watch,
        "wait lease": services.wait_lease.renew_periodically,
        "vitals": Vitals("gateway", store).run,
        "metrics": lambda: publishing.publish(store, services.process),
        "machine clock": lambda: machine_clock.watch(store),
        "models": lambda: store.models.watch(store.address),
        "spare memory": spare_memory.trim_periodically,
    }
    if settings.max_queue:
        tasks["backlog"] = services.backlog.watch
    return tasks


async def _read_ahead(store: Store) -> None:
    """Learn the partitions and the saved models before the first call, for a limited time.

    While the store is away, the watch of its memory asks for it every second; once it answers, the
    partitions are known.
    """
    with contextlib.suppress(EngineError, TimeoutError):
        async with asyncio.timeout(READ_AHEAD_SECONDS):
            await store.learn_partitions()
            await store.models.look()
