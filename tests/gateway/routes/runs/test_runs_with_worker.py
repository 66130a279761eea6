"""Runs over HTTP with a real worker."""

import asyncio
import io
from collections.abc import AsyncIterator

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.settings import Settings
from engine.store.executions import notifier
from tests.support.gateway.documents import greeting
from workers.main import worker as real_worker

RUN = "/api/workflows/greeting/run"
MISSED_SECONDS = 60.0


@pytest.fixture
def account_tier() -> Tier:
    """Return a tier without rate limits."""
    return Tier.ENTERPRISE


@pytest.fixture(autouse=True)
async def a_worker_runs(settings: Settings) -> AsyncIterator[None]:
    async with real_worker(settings):
        yield


async def test_no_caller_waits_for_a_ring_that_was_missed(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller whose ring is missed looks at the record after a while, here after a minute."""
    monkeypatch.setattr(notifier, "CHECK_SECONDS", MISSED_SECONDS)
    await client.post("/api/workflows", json=greeting())

    async def run(number: int) -> float:
        answer = await client.post(RUN, json={"inputs": {"name": str(number)}})
        assert answer.json()["result"] == {"text": f"Hello {number}"}
        return float(answer.json()["ms"])

    times: list[float] = []
    for _ in range(10):
        times += await asyncio.gather(*(run(number) for number in range(20)))

    assert max(times) < MISSED_SECONDS * 1000


async def test_no_level_of_the_log_has_inputs_or_what_nodes_make_of_them(
    client: httpx2.AsyncClient, logged: io.StringIO
) -> None:
    await client.post("/api/workflows", json=greeting())

    answer = await client.post(RUN, json={"inputs": {"name": "a-canary-of-inputs"}})

    assert answer.json()["result"] == {"text": "Hello a-canary-of-inputs"}
    assert '"debug"' in logged.getvalue()
    assert "canary" not in logged.getvalue()
