"""Open event streams begin with an event, and end when their key or session does."""

import asyncio
from typing import Any

import httpx2
import pytest

from engine.store import Account, Store
from tests.gateway.conftest import Gateway
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker

RUN = "/api/workflows/greeting/run"
ASK = {"inputs": {"name": "Eve"}}
STREAM = {"accept": "text/event-stream"}
PATIENCE = 30


@pytest.fixture(autouse=True)
async def greeting_is_saved(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/api/workflows", json=greeting())).status_code == 201


async def read_until_the_end(answer: httpx2.Response, begun: asyncio.Event) -> str:
    text = ""
    async for piece in answer.aiter_text():
        text += piece
        begun.set()
    return text


async def watched(stream: Any, end: Any) -> str:
    """Return the whole stream of an execution that no worker takes, read to its end."""
    async with asyncio.timeout(PATIENCE), stream as answer:
        assert answer.status_code == 200
        begun = asyncio.Event()
        reading = asyncio.create_task(read_until_the_end(answer, begun))
        await begun.wait()
        await end()
        return await reading


async def test_the_stream_of_a_run_ends_with_its_key(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    [key] = await store.api_keys.list(account.id)

    reported = await watched(
        client.stream("POST", RUN, json=ASK, headers=STREAM),
        lambda: store.api_keys.revoke(key.id),
    )

    assert "execution.finished" not in reported


async def test_a_stream_has_no_block_without_an_event(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    reported = (await client.post(RUN, json=ASK, headers=STREAM)).text

    blocks = [block for block in reported.split("\n\n") if not block.startswith(":") and block]
    assert blocks[0].startswith("retry: 1000\nid: ")
    assert all("\ndata: " in block for block in blocks)


async def test_the_events_of_an_execution_end_with_the_session(
    client: httpx2.AsyncClient, browser: httpx2.AsyncClient, gateway: Gateway
) -> None:
    begun = (await client.post(f"{RUN}?async=true", json=ASK)).json()

    reported = await watched(
        browser.stream("GET", f"{begun['pollUrl']}/events"), lambda: browser.post("/logout")
    )

    assert "execution.finished" not in reported
