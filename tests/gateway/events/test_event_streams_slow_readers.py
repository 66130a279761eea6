"""A slow reader of a stream: events that it has not read stay in the store."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.responses import StreamingResponse

from engine.errors import Unavailable
from engine.executions.events import BEFORE_ALL
from engine.settings import Settings
from engine.store import Account, CompletionNotifier, Principal, Store
from engine.store.executions.events import MAX_ENTRIES, EventPage
from engine.store.redis.address import RedisAddress
from gateway.admission.memory import ResultMemory
from gateway.admission.open_streams import OpenStreams
from gateway.events import event_streams
from gateway.runs.streams import ExecutionStream
from gateway.services import GatewayRequest
from tests.support.store.records import save
from tests.support.store.watched_runs import Run


class Counted:
    """The events of the store with a count of reads; the store may be unavailable."""

    def __init__(self, store: Store) -> None:
        self._events = store.events
        self.reads = 0
        self.is_away = False

    async def read(self, *args: Any) -> EventPage:
        if self.is_away:
            raise Unavailable
        self.reads += 1
        return await self._events.read(*args)


@pytest.fixture
async def run(store: Store, account: Account) -> Run:
    """Return a running execution whose node has more events than one page holds."""
    run = Run(store, account, await save(store, account))
    await run.accept()
    await run.read(channel="")
    await run.claim()
    await run.step(claimed=[0])
    for number in range(2 * MAX_ENTRIES):
        await run.publish("x", number)
    return run


def watch(run: Run, events: Counted, notifier: CompletionNotifier) -> ExecutionStream:
    store = SimpleNamespace(
        events=events, workflows=run.store.workflows, executions=run.store.executions
    )
    services = SimpleNamespace(
        store=store,
        notifier=notifier,
        stopping=asyncio.Event(),
        result_memory=ResultMemory(),
        open_streams=OpenStreams(),
    )
    state = {"services": services}
    scope = {"type": "http", "method": "GET", "headers": [], "state": state}
    request: GatewayRequest = GatewayRequest(scope)
    principal = cast(Principal, SimpleNamespace(account=run.account, key=None))
    return ExecutionStream(request, principal, run.id, after=BEFORE_ALL, seconds=60)


async def test_the_store_is_read_as_fast_as_the_watcher_reads(run: Run, settings: Settings) -> None:
    events = Counted(run.store)
    async with CompletionNotifier.open(RedisAddress.parse(settings.redis_url)) as notifier:
        stream = watch(run, events, notifier)
        answer = stream.respond(await stream.read())
        assert isinstance(answer, StreamingResponse)
        pieces = aiter(answer.body_iterator)

        for _ in range(MAX_ENTRIES):
            await anext(pieces)
        before = events.reads
        for _ in range(MAX_ENTRIES):
            await anext(pieces)

        assert (before, events.reads) == (1, 2)


async def test_a_watcher_waits_for_a_store_that_is_away(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_streams, "HEARTBEAT_SECONDS", 0.02)
    events = Counted(run.store)
    async with CompletionNotifier.open(RedisAddress.parse(settings.redis_url)) as notifier:
        stream = watch(run, events, notifier)
        answer = stream.respond()
        assert isinstance(answer, StreamingResponse)
        events.is_away = True
        pieces = aiter(answer.body_iterator)

        silent = [await anext(pieces) for _ in range(3)]
        events.is_away = False
        while (piece := await anext(pieces)) == event_streams.HEARTBEAT:
            silent.append(piece)

        assert silent[1:3] == [event_streams.HEARTBEAT] * 2
        assert b"execution.started" in bytes(cast(bytes, piece))
