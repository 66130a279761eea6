"""`/readyz` reports hints that no worker takes."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import httpx2
import pytest

from engine.errors import Unavailable
from engine.history.database.own_database import OwnDatabase
from engine.settings import Settings
from engine.store import Account, HintSender, Store
from engine.store.archive.state import SILENT, ArchiverStates
from engine.store.redis import keyspace
from engine.store.redis.info import read_memory
from gateway.admission.readiness import HistoryWatch, QueueWatch, Readiness, history_pause
from tests.conftest import RedisServer
from tests.gateway.conftest import MakeClient
from tests.support.eventually import eventually
from tests.support.store.ended import Ending
from tests.support.workers.worker_process import worker_processes

READY = {"status": "ready"}
DEGRADED = {"status": "ready", "degraded": ["hints"]}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a hint count as stalled after a fraction of a second."""
    monkeypatch.setattr("engine.store.dispatch.stalled_queues.STALLED_SECONDS", 0.3)
    monkeypatch.setattr("gateway.admission.readiness.POLL_SECONDS", 0.02)
    monkeypatch.setattr("engine.history.database.own_database.LOOK_SECONDS", 0.02)


@pytest.fixture
async def anyone(make_client: MakeClient) -> httpx2.AsyncClient:
    return await make_client()


async def answers(client: httpx2.AsyncClient, expected: dict[str, Any]) -> None:
    """Wait until `/readyz` gives this answer; its status is 200 all the time."""

    async def fetch() -> Any:
        answer = await client.get("/readyz")
        assert answer.status_code == 200
        return answer.json()

    await eventually(fetch, expected.__eq__)


async def test_hints_that_a_stopped_worker_does_not_take_are_told(
    anyone: httpx2.AsyncClient, store: Store, redis_url: str
) -> None:
    await answers(anyone, READY)
    await store.hints.send(["acc/1"])
    await answers(anyone, DEGRADED)

    async with worker_processes(redis_url, 1):
        await answers(anyone, READY)
        [worker] = await store.leases.workers()
        pid = int(worker.split("-")[-2])
        os.kill(pid, signal.SIGSTOP)
        await store.hints.send(f"acc/{number}" for number in range(200))
        await answers(anyone, DEGRADED)
        os.kill(pid, signal.SIGCONT)
        await answers(anyone, READY)


async def send_bulk(store: Store) -> None:
    await store.hints.send(["acc/1"], "bulk")


async def send_delivery(store: Store) -> None:
    await store.hints.send_deliveries(["acc/1"])


@pytest.mark.parametrize("send", [send_bulk, send_delivery])
async def test_each_queue_counts(
    send: Callable[[Store], Awaitable[None]],
    anyone: httpx2.AsyncClient,
    store: Store,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await send(store)

    await answers(anyone, DEGRADED)

    [reported] = [each for each in caplog.records if "no worker takes" in each.message]
    assert reported.levelname == "WARNING"


async def test_a_redis_that_is_nearly_full_is_told_until_it_has_room(
    anyone: httpx2.AsyncClient, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await answers(anyone, READY)
    used = (await read_memory(store.client)).used
    await store.client.send("CONFIG", "SET", "maxmemory", int(used / 0.9))
    await answers(anyone, {"status": "ready", "degraded": ["memory"]})

    await store.client.send("CONFIG", "SET", "maxmemory", int(used / 0.5))

    await answers(anyone, READY)
    reported = [each.message for each in caplog.records if "memory" in each.message]
    assert reported == ["the memory of Redis is nearly full", "Redis has memory again"]


class _Queue:
    """A queue with one hint at its head, which does not answer while it is away."""

    def __init__(self) -> None:
        self.is_away = False
        self.may_answer = asyncio.Event()
        self.looks = 0

    async def heads(self) -> dict[str, bytes | None]:
        self.looks += 1
        if self.is_away:
            raise Unavailable("away")
        await self.may_answer.wait()
        self.may_answer.clear()
        return {"walk": b"acc/1"}


async def test_a_hint_that_was_first_before_the_queue_was_away_is_new_afterwards() -> None:
    queue = _Queue()
    watch = QueueWatch(cast(HintSender, queue))
    watching = asyncio.create_task(watch.watch())

    async def looks() -> int:
        return queue.looks

    async def look_until(count: int) -> None:
        await eventually(looks, lambda observed: observed >= count)

    queue.may_answer.set()
    await look_until(2)
    queue.is_away = True
    queue.may_answer.set()
    await asyncio.sleep(0.4)  # longer than a hint may stay at the head
    queue.is_away = False
    await look_until(queue.looks + 1)
    queue.may_answer.set()
    await look_until(queue.looks + 1)

    assert watch.reason() == ""
    watching.cancel()


class TestElsewhere:
    """The queue lies in a Redis of its own."""

    @pytest.fixture
    def queue_server(self) -> Any:
        server = RedisServer()
        server.start()
        yield server
        server.stop()

    @pytest.fixture
    def settings(self, settings: Settings, queue_server: RedisServer) -> Settings:
        return replace(settings, queue_url=queue_server.url)

    async def test_a_queue_elsewhere_counts_whether_it_answers_or_not(
        self,
        anyone: httpx2.AsyncClient,
        store: Store,
        queue_server: RedisServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("gateway.admission.readiness.STALLED_SECONDS", 0.3)
        await answers(anyone, READY)
        await store.hints.send(["acc/1"])
        await answers(anyone, DEGRADED)
        await store.hint_client.send("FLUSHALL")
        await answers(anyone, READY)
        queue_server.kill()
        await answers(anyone, DEGRADED)
        queue_server.start()
        await answers(anyone, READY)


class Steady:
    """Watch over a condition that does not change."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def reason(self) -> str:
        return self._reason

    async def watch(self) -> None:
        return


def test_conditions_are_named_in_order() -> None:
    reasons = {"memory": "it is full", "hints": "", "history": "it is away"}
    readiness = Readiness({name: Steady(reason) for name, reason in reasons.items()})

    assert readiness.degraded() == ["memory", "history"]
    assert readiness.reasons() == {"memory": "it is full", "history": "it is away"}


async def test_a_history_that_lags_behind_is_told(
    make_client: MakeClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.admission.readiness.HISTORY_SECONDS", 0.02)
    anyone = await make_client()
    states = ArchiverStates(store.client)
    await answers(anyone, READY)

    await states.claim_database("another part has one")

    await answers(anyone, {"status": "ready", "degraded": ["history"]})
    await store.client.send("DEL", keyspace.history())
    await answers(anyone, READY)


@pytest.mark.parametrize(
    ("partition_count", "most_commands"), [(1, 2), (16, 32), (64, 32), (1_024, 140)]
)
def test_the_watch_of_the_history_asks_little_of_redis(
    partition_count: int, most_commands: int
) -> None:
    commands = 4 * partition_count  # the size and the oldest of two sorted sets of each

    assert commands / history_pause(partition_count) <= most_commands


async def test_a_history_whose_database_is_away_is_told(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.admission.readiness.HISTORY_SECONDS", 0.02)
    states = ArchiverStates(store.client)
    watch = HistoryWatch(states, OwnDatabase("", states, "here"))
    task = asyncio.create_task(watch.watch())

    async def told() -> bool:
        return watch.reason() != ""

    await ArchiverStates(store.client).write(seen_at=0, error="gone", refused={})
    await eventually(told)
    await ArchiverStates(store.client).write(seen_at=0, error="", refused={})
    await eventually(told, lambda is_told: not is_told)
    task.cancel()


async def test_an_installation_without_a_history_is_not_degraded(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.admission.readiness.HISTORY_SECONDS", 0.02)
    monkeypatch.setattr("engine.store.archive.state.SILENT_MS", -1)
    await (await Ending.of(store, account)).completed()
    states = ArchiverStates(store.client)
    without = HistoryWatch(states, OwnDatabase("", states, "here"))
    waiting = HistoryWatch(states, OwnDatabase("sqlite:////nowhere", states, "there"))
    tasks = [asyncio.create_task(each.watch()) for each in (without, waiting)]

    async def told() -> str:
        return waiting.reason()

    assert await eventually(told) == SILENT
    assert without.reason() == ""
    for task in tasks:
        task.cancel()
