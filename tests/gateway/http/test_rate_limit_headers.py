"""Rate limits over HTTP: the headers, the refusal, and the count over several processes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.settings import Settings
from engine.store import Account, Store
from gateway.http.listener import bind
from gateway.server import serve
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker

pytestmark = pytest.mark.usefixtures("young_window")

WAIT = "/api/workflows/greeting/run"
RUN = f"{WAIT}?async=true"
NAMES = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
ALL_NAMES = (*NAMES, "ratelimit", "ratelimit-policy")


@pytest.fixture
def limit() -> int:
    return 5


@pytest.fixture
def executions_at_once() -> int:
    return 10


@pytest.fixture
def settings(redis_url: str, tmp_path: Path, limit: int, executions_at_once: int) -> Settings:
    path = tmp_path / "tiers.toml"
    path.write_text(
        f"[pro]\nruns_per_minute = {limit}\nexecutions_at_once = {executions_at_once}\n"
    )
    return Settings(redis_url=redis_url, tiers_file=str(path))


async def run(client: httpx2.AsyncClient, path: str = RUN) -> httpx2.Response:
    return await client.post(path, json={"inputs": {"name": "Eve"}})


async def test_a_lower_tier_holds_from_the_next_call_on(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    await store.accounts.set_tier(account.id, Tier.BUSINESS)
    before = await run(client)
    await store.accounts.set_tier(account.id, Tier.PRO)
    after = await run(client)

    assert (before.headers["x-ratelimit-limit"], after.headers["x-ratelimit-limit"]) == (
        "1000",
        "5",
    )
    assert after.headers["x-ratelimit-remaining"] == "3"


@pytest.mark.parametrize("executions_at_once", [3])
async def test_executions_at_once_are_bounded_and_each_end_makes_room(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    worker.is_idle = True
    await client.post("/api/workflows", json=greeting())
    accepted = [await run(client) for _ in range(3)]

    refused = await run(client)
    execution_id = accepted[0].json()["executionId"]
    await client.post(f"/api/executions/{execution_id}/cancel")
    after_a_cancel = await run(client)

    assert [answer.status_code for answer in accepted] == [202] * 3
    assert refused.status_code == 429
    assert refused.json() == {
        "error": "3 executions are under way, as many as may be",
        "code": "RATE_LIMIT_EXCEEDED",
        "tier": "pro",
        "limit": 3,
        "retryAfter": 1,
    }
    assert refused.headers["retry-after"] == "1"
    assert all(name in refused.headers for name in ALL_NAMES)
    assert after_a_cancel.status_code == 202


@pytest.mark.parametrize("executions_at_once", [3])
async def test_a_finished_execution_makes_room(
    client: httpx2.AsyncClient, worker: FakeWorker, limit: int
) -> None:
    await client.post("/api/workflows", json=greeting())

    answers = [await run(client, "/api/workflows/greeting/run") for _ in range(limit)]

    assert [answer.status_code for answer in answers] == [200] * limit


@pytest.mark.parametrize("executions_at_once", [3])
async def test_browsers_and_keys_share_the_bound_on_executions_at_once(
    client: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    await client.post("/api/workflows", json=greeting())

    answers = [await run(each) for each in (client, browser, client, browser)]

    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]


@pytest.mark.A27
@pytest.mark.parametrize("executions_at_once", [3])
async def test_callers_who_wait_hold_no_more_than_their_account_may(
    client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    worker.is_idle = True
    for each in (client, strangers_client):
        await each.post("/api/workflows", json=greeting())
    waiting = [asyncio.create_task(run(client, WAIT)) for _ in range(3)]
    await eventually(lambda: rows(client), lambda found: len(found) == 3)

    refused = await run(client, WAIT)
    waiting[0].cancel()
    await asyncio.gather(waiting[0], return_exceptions=True)
    still_refused = await run(client, WAIT)
    other = await run(strangers_client, "/api/workflows/greeting-2/run?async=true")
    worker.is_idle = False
    answers = await asyncio.gather(*waiting[1:])

    assert (refused.status_code, still_refused.status_code) == (429, 429)
    assert refused.json()["code"] == "RATE_LIMIT_EXCEEDED"
    assert other.status_code == 202
    assert [answer.status_code for answer in answers] == [200, 200]


async def rows(client: httpx2.AsyncClient) -> list[Any]:
    found: list[Any] = (await client.get("/api/executions")).json()["rows"]
    return found


@asynccontextmanager
async def gateways(settings: Settings, count: int) -> AsyncIterator[list[str]]:
    stopping = asyncio.Event()
    bound = [bind("127.0.0.1", 0) for _ in range(count)]
    for each in bound:
        each.listen()
    serving = [
        asyncio.create_task(serve(settings, stopping=stopping, bound=each)) for each in bound
    ]
    yield [f"http://127.0.0.1:{each.getsockname()[1]}" for each in bound]
    stopping.set()
    await asyncio.gather(*serving)


@pytest.mark.A22
@pytest.mark.A81
@pytest.mark.parametrize("limit", [100])
async def test_the_count_is_exact_over_gateways_keys_and_connections(
    settings: Settings, store: Store, account: Account, limit: int
) -> None:
    keys = [
        (await store.api_keys.create(account, name=f"k{n}", capabilities=["workflow:run"]))[1]
        for n in range(4)
    ]
    verdicts: Counter[tuple[str, bool]] = Counter()

    async def hammer(number: int, base: str) -> None:
        headers = {"x-api-key": keys[number % 4]}
        async with httpx2.AsyncClient(base_url=base, headers=headers, timeout=30) as client:
            for _ in range(40):
                answer = await run(client, "/api/workflows/nothing/run")
                verdicts[answer.headers["x-ratelimit-reset"], answer.status_code == 404] += 1

    async with gateways(settings, 2) as bases:
        await asyncio.gather(*(hammer(number, bases[number % 2]) for number in range(20)))

    accepted = {reset: count for (reset, is_accepted), count in verdicts.items() if is_accepted}
    assert sum(verdicts.values()) == 800
    assert max(accepted.values()) == limit
