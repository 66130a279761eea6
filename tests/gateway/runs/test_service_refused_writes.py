"""A gateway and a worker while Redis refuses writes, or has handed over to its replica."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import keyspace
from tests.gateway.conftest import serving
from tests.support.acceptance.random_spending import Caller, check_books, open_spenders
from tests.support.eventually import eventually
from tests.support.gateway.documents import edge, node
from tests.support.http.scripted_server import Target
from tests.support.http.scripted_server import serving as serving_target
from tests.support.redis.failover import Pair, running_pair
from tests.support.redis.refused_writes import refused_writes
from workers.main import worker


@pytest.fixture
def account_tier() -> Tier:
    """Return a tier without rate limits."""
    return Tier.ENTERPRISE


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    async with serving_target() as target:
        yield target


def call_of(url: str) -> dict[str, object]:
    """Return a workflow with one call."""
    return {
        "name": "Call",
        "nodes": [node("call", "httpRequest", url=url), node("out", "responseOutput")],
        "edges": [edge("call", "response-out", "out", "result-in")],
    }


async def begin(client: httpx2.AsyncClient, slug: str) -> str:
    answer = await client.post(f"/api/workflows/{slug}/run?async=true", json={"inputs": {}})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["executionId"])


async def status_of(client: httpx2.AsyncClient, execution_id: str) -> str:
    answer = await client.get(f"/api/executions/{execution_id}")
    return str(answer.json().get("status"))


async def is_all_over(store: Store, account: Account) -> bool:
    """Return whether no execution is active or leased."""
    active = await store.client.send("SCARD", keyspace.active(account.id))
    held = [
        each for worker in await store.leases.workers() for each in await store.leases.held(worker)
    ]
    return not active and not held


async def test_what_was_accepted_ends_though_writes_were_refused_meanwhile(
    client: httpx2.AsyncClient,
    settings: Settings,
    store: Store,
    account: Account,
    target: Target,
) -> None:
    for name, seconds in (("short", 1), ("long", 50)):
        body = call_of(f"{target.url}/slow/{seconds}") | {"name": name}
        assert (await client.post("/api/workflows", json=body)).status_code == 201
    async with worker(settings):
        short = [await begin(client, "short") for _ in range(5)]
        long = await begin(client, "long")
        await eventually(_all_called(target, 6))

        async with refused_writes(settings.redis_url):
            refused = await client.post("/api/workflows/short/run", json={"inputs": {}})
            cancel = await client.post(f"/api/executions/{long}/cancel")
            await asyncio.sleep(1.3)  # the short calls end, and cannot be recorded
            statuses = {await status_of(client, each) for each in short}

        for answer in (refused, cancel):
            assert answer.status_code == 503
            assert answer.json()["code"] == "UNAVAILABLE"
            assert int(answer.headers["retry-after"]) > 0
        assert statuses == {"processing"}
        assert (await client.post(f"/api/executions/{long}/cancel")).status_code == 202
        for each in short:
            await eventually(lambda each=each: status_of(client, each), "completed".__eq__)
        await eventually(lambda: status_of(client, long), "cancelled".__eq__)
        assert await eventually(lambda: is_all_over(store, account))
    assert sum(target.calls.values()) == 6


async def test_no_credit_stays_reserved_though_writes_were_refused_meanwhile(
    settings: Settings, store: Store, target: Target
) -> None:
    async with serving(settings) as gateway, worker(settings):
        spenders = await open_spenders(store, gateway.url, store.tiers)
        turns = iter(range(90))
        callers = [
            Caller(spender, target.url, random.Random(f"{spender.account.email} {number}"))
            for spender, number in itertools.product(spenders, range(4))
        ]
        spending = asyncio.gather(*(caller.spend(turns) for caller in callers))
        for _ in range(3):
            await asyncio.sleep(0.1)
            async with refused_writes(settings.redis_url):
                await asyncio.sleep(0.1)
        await spending
        for spender in spenders:
            await eventually(lambda s=spender: is_all_over(store, s.account))
            ends = await check_books(spender)
            assert ends["completed"] > 0


async def test_runs_go_on_with_the_new_primary(settings: Settings, target: Target) -> None:
    async with running_pair() as pair:
        await pair.follow()
        await _run_through(pair, replace(settings, redis_url=pair.proxy.url), target)


async def _run_through(pair: Pair, settings: Settings, target: Target) -> None:
    store = Store.open(settings)
    account = await store.accounts.create(email="a@example.com", tier=Tier.ENTERPRISE)
    _, key = await store.api_keys.create(account, name="k", capabilities=["workflow:*"])
    async with serving(settings) as gateway, worker(settings):
        headers = {"x-api-key": key}
        async with httpx2.AsyncClient(base_url=gateway.url, headers=headers, timeout=60) as client:
            await client.post("/api/workflows", json=call_of(f"{target.url}/slow/0.3"))
            before = [await begin(client, "call") for _ in range(5)]
            await eventually(_all_called(target, 5))

            await pair.hand_over()
            answers = [await client.post("/api/workflows/call/run", json={"inputs": {}})]
            while answers[-1].status_code != 200:
                answers.append(await client.post("/api/workflows/call/run", json={"inputs": {}}))

            for each in before:
                await eventually(lambda each=each: status_of(client, each), "completed".__eq__)
            assert {answer.status_code for answer in answers} <= {200, 503}
            assert len(answers) < 5
            assert await eventually(lambda: is_all_over(store, account))
    await store.close()
    assert sum(target.calls.values()) == 6


def _all_called(target: Target, times: int) -> Callable[[], Awaitable[bool]]:
    async def called() -> bool:
        return sum(target.calls.values()) == times

    return called
