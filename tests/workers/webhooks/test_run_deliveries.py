"""Deliveries to webhooks of runs: their bodies, their budget, and workers that die."""

import asyncio
import signal
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Store
from engine.store.accounts.rate_limits import WINDOW_MS
from engine.store.redis import keyspace
from engine.store.webhooks.deliveries import SPREAD_MS
from engine.store.webhooks.owners import run_owner
from engine.store.webhooks.run_webhooks import RunWebhook, start_id
from engine.webhooks.deliveries import Delivery, DeliveryFilter, DeliveryStatus
from engine.webhooks.events import ENDS, EVENTS, NODE_FINISHED, STARTED
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.factories import Graph, Runner, greeting, http_line
from tests.support.http.target import stub_server
from tests.support.http.webhook_receivers import Received, Receiver
from tests.support.redis.proxy import running_proxy
from tests.support.store.records import accept
from tests.support.workers.webhook_owner import Owner
from tests.support.workers.worker_process import WorkerProcess
from workers.main import worker

SECRET = "the secret of one run"
CALLS = 3
"""Outbound calls of an account in a minute."""


@dataclass(frozen=True)
class Teller:
    """An account whose runs name webhooks at the receiver."""

    owner: Owner

    @property
    def store(self) -> Store:
        return self.owner.store

    @property
    def account_id(self) -> str:
        return self.owner.account.id

    async def begin(
        self, path: str, events: Sequence[str] | None = None, graph: Graph | None = None
    ) -> str:
        """Accept a run with a webhook of its own; return its id."""
        slug = await self.owner.runner.save(graph or greeting())
        workflow, plan = await self.store.workflows.plan(slug)
        assert plan is not None
        execution_id = str(uuid.uuid4())
        sealed = await self.store.webhooks.seal(self.account_id, run_owner(execution_id), SECRET)
        webhook = RunWebhook(
            url=self.owner.receiver.url + path, events=events, is_own=True, sealed_secret=sealed
        )
        await accept(
            self.store,
            *(self.owner.account, workflow, plan, {"who": "Ada"} if graph is None else {}),
            execution_id=execution_id,
            webhook=webhook,
            key_id="",
        )
        return execution_id

    async def deliveries(self, execution_id: str) -> list[Delivery]:
        wanted = DeliveryFilter(execution_id=execution_id)
        rows, _ = await self.store.deliveries.page(self.account_id, wanted, limit=100)
        return rows

    async def told(
        self, execution_id: str, count: int, seconds: float = PATIENCE_SECONDS
    ) -> list[Delivery]:
        """Return the deliveries of a run once so many have been delivered."""

        def are_done(rows: list[Delivery]) -> bool:
            return len([each for each in rows if each.status is DeliveryStatus.DELIVERED]) == count

        return await eventually(lambda: self.deliveries(execution_id), are_done, timeout=seconds)

    async def has_secret(self, execution_id: str) -> bool:
        key = keyspace.webhook(self.account_id, run_owner(execution_id))
        return bool(await self.store.client.send("EXISTS", key))


@pytest.fixture
def teller(owner: Owner) -> Teller:
    return Teller(owner)


@pytest.fixture
def limited(settings: Settings, tmp_path: Path) -> Settings:
    path = tmp_path / "tiers.toml"
    path.write_text(f"[pro]\noutbound_calls_per_minute = {CALLS}\n")
    return replace(settings, tiers_file=str(path))


def by_sequence(received: Sequence[Received]) -> list[Any]:
    """Return the bodies of deliveries by their number, each once."""
    bodies = {each.id: each.event for each in received}
    return sorted(bodies.values(), key=lambda each: each["sequence"])


async def test_all_events_of_a_run_are_delivered_and_its_secret_forgotten(
    teller: Teller, receiver: Receiver, settings: Settings
) -> None:
    async with worker(settings):
        execution_id = await teller.begin("/ok", EVENTS)
        rows = await teller.told(execution_id, 5)

    events = by_sequence(receiver.received)
    assert [each["event"] for each in events] == [STARTED, *[NODE_FINISHED] * 3, ENDS[0]]
    assert {each["node"]["status"] for each in events[1:4]} == {"completed"}
    assert {row.owner for row in rows} == {run_owner(execution_id)}
    assert not await teller.has_secret(execution_id)


async def test_a_body_is_the_same_at_each_attempt_whatever_has_become_of_the_run(
    teller: Teller, receiver: Receiver, settings: Settings
) -> None:
    async with worker(replace(settings, webhook_time_scale=0.1)):
        execution_id = await teller.begin("/fails/3", [STARTED, NODE_FINISHED])
        await teller.told(execution_id, 4)

    bodies: dict[str, set[bytes]] = {}
    for each in receiver.received:
        bodies.setdefault(each.id, set()).add(each.body)
    assert len(receiver.received) == 4 + 3
    assert {len(each) for each in bodies.values()} == {1}
    assert all(each["status"] == "processing" for each in by_sequence(receiver.received))


async def test_lost_replies_of_redis_leave_each_event_told_under_one_number(
    teller: Teller, receiver: Receiver, settings: Settings, redis_url: str
) -> None:
    async with (
        running_proxy(redis_url) as proxy,
        worker(replace(settings, redis_url=proxy.url)),
    ):
        ids = []
        for _ in range(20):
            ids.append(await teller.begin("/slow/0.05", EVENTS))
            await asyncio.sleep(0.05)
            proxy.swallow_replies = True
            await asyncio.sleep(0.05)
            proxy.swallow_replies = False
        for each in ids:
            await teller.told(each, 5)

    events = {each.id: each.event for each in receiver.received}.values()
    for each in ids:
        own = [event for event in events if event["executionId"] == each]
        assert sorted(event["sequence"] for event in own) == [1, 2, 3, 4, 5]
        assert not await teller.has_secret(each)
    assert len({(each.id, each.body) for each in receiver.received}) == len(ids) * 5


async def test_deliveries_of_runs_wait_for_the_next_minute_without_an_attempt(
    teller: Teller, receiver: Receiver, limited: Settings
) -> None:
    """The calls that a worker has leased are for this minute and this host."""
    ids = [await teller.begin("/ok") for _ in range(CALLS + 4)]
    left_ms = WINDOW_MS - await teller.store.leases.now() % WINDOW_MS
    if left_ms < 20_000:
        await asyncio.sleep(left_ms / 1_000)  # all of it is within one minute

    async def postponed() -> int:
        """Return the number of deliveries whose hint is due early in a minute."""
        due = keyspace.deliveries_due(partition_of(teller.account_id))
        rows = await teller.store.client.send("ZRANGE", due, 0, -1, "WITHSCORES")
        return sum(float(at) % WINDOW_MS < SPREAD_MS for _, at in rows)

    async def statuses() -> list[tuple[DeliveryStatus, int]]:
        rows = [row for each in ids for row in await teller.deliveries(each)]
        return [(row.status, len(row.attempts)) for row in rows]

    async with worker(limited):
        for each in ids:
            await teller.owner.runner.end(each)
        found = await eventually(
            statuses,
            lambda found: (
                len([each for each in found if each[0] is DeliveryStatus.DELIVERED]) >= CALLS
            ),
        )
        await eventually(postponed, (len(ids) - CALLS).__eq__)
        found, delivered = await statuses(), len(receiver.received)
        while len(receiver.received) < len(ids):
            # Another minute has come: the account has made no calls in it.
            await teller.store.client.send("DEL", keyspace.outbound(teller.account_id))
            references = (keyspace.reference(teller.account_id, each) for each in ids)
            await teller.store.hints.send_deliveries(references)
            await asyncio.sleep(0.2)

    assert delivered == CALLS
    assert sorted(found) == sorted(
        [(DeliveryStatus.DELIVERED, 1)] * CALLS + [(DeliveryStatus.PENDING, 0)] * 4
    )


async def test_an_account_without_calls_left_holds_up_no_other(
    teller: Teller, receiver: Receiver, limited: Settings
) -> None:
    store = teller.store
    account = await store.accounts.create(email="bob@example.com", tier=Tier.PRO)
    other = Teller(Owner(Runner(store, account, teller.owner.runner.notifier), receiver))
    many = [await teller.begin("/ok") for _ in range(60)]
    few = [await other.begin("/ok") for _ in range(CALLS)]

    async with worker(limited):
        for each in (*many, *few):
            await (teller if each in many else other).owner.runner.end(each)
        for each in few:
            await other.told(each, 1)

    assert sum(each.event["userId"] == teller.account_id for each in receiver.received) <= CALLS


async def test_a_host_gets_no_more_deliveries_of_runs_at_once_than_it_may(
    teller: Teller, receiver: Receiver, settings: Settings
) -> None:
    ids = [await teller.begin("/slow/0.2") for _ in range(8)]

    async with worker(replace(settings, webhook_host_at_once=2)):
        for each in ids:
            await teller.told(each, 1)

    assert receiver.most_open == 2


async def test_the_webhook_of_a_key_does_not_use_the_calls(
    teller: Teller, receiver: Receiver, limited: Settings
) -> None:
    key_id = await teller.owner.hook("/ok")

    async with worker(limited):
        for _ in range(CALLS + 2):
            await teller.owner.settled(key_id, await teller.owner.run(key_id))

    assert len(receiver.received) == CALLS + 2


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_workers_killed_during_a_run_and_its_deliveries_leave_each_event_told_under_one_id(
    teller: Teller, receiver: Receiver, redis_url: str
) -> None:
    with stub_server() as stub:
        execution_id = await teller.begin("/slow/0.2", EVENTS, http_line(f"{stub.url}/json/x", 6))
        process = WorkerProcess(redis_url)
        for kill_after in (0.9, 1.1, 1.3, 1.5, 1.7):
            await process.start()
            await asyncio.sleep(kill_after)
            await process.end(signal.SIGKILL)
        await process.start()
        end = await teller.owner.runner.end(execution_id, 60)
        nodes = (await teller.store.executions.get(teller.account_id, execution_id)).nodes
        count = len(nodes) + 2
        await teller.told(execution_id, count, 60)
        await process.end(signal.SIGTERM)

    assert end.status == "completed"
    events = by_sequence(receiver.received)
    assert [each["sequence"] for each in events] == list(range(1, count + 1))
    assert (events[0]["event"], events[-1]["event"]) == (STARTED, ENDS[0])
    assert len({each["node"]["id"] for each in events[1:-1]}) == len(nodes)
    bodies = {(each.id, each.body) for each in receiver.received}
    assert len(bodies) == count
    assert start_id(execution_id) in receiver.ids()
    assert not await teller.has_secret(execution_id)
