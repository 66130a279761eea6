"""Streams of sessions: notifications of changes of the list of tools."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx2
import pytest

from engine.store import Account, Store
from gateway.admission import open_streams
from tests.gateway.conftest import Gateway, MakeClient
from tests.gateway.mcp.test_sessions import begin
from tests.support.gateway.documents import greeting
from tests.support.gateway.mcp_clients import ACCEPT

STREAM = {"accept": "text/event-stream"}
CHANGED = 'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'


@contextlib.asynccontextmanager
async def watching(
    client: httpx2.AsyncClient, session: str, **headers: str
) -> AsyncIterator[AsyncIterator[str]]:
    sent = STREAM | {"mcp-session-id": session} | headers
    async with client.stream("GET", "/mcp", headers=sent) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield answer.aiter_lines()


async def next_change(lines: AsyncIterator[str]) -> str:
    """Return the id of the next notification."""
    last = ""
    async for line in lines:
        if line.startswith("id: "):
            last = line.removeprefix("id: ")
        if line.startswith("data:"):
            assert line == CHANGED
            return last
    raise AssertionError("the stream has ended")


async def test_saves_and_deletes_are_told(client: httpx2.AsyncClient) -> None:
    session = await begin(client)

    async with watching(client, session) as lines:
        await anext(lines)
        await client.post("/api/workflows", json=greeting())
        await next_change(lines)
        await client.put("/api/workflows/greeting", json={"hidden": True})
        await next_change(lines)
        await client.delete("/api/workflows/greeting")
        await next_change(lines)


async def test_a_stream_goes_on_after_the_last_change_that_was_seen(
    client: httpx2.AsyncClient,
) -> None:
    session = await begin(client)
    async with watching(client, session) as lines:
        await anext(lines)
        await client.post("/api/workflows", json=greeting())
        last = await next_change(lines)
    await client.post("/api/workflows", json=greeting("Missed"))

    async with watching(client, session, **{"last-event-id": last}) as lines:
        await asyncio.wait_for(next_change(lines), 5)


async def test_other_workflows_and_accounts_are_not_told(
    client: httpx2.AsyncClient,
    strangers_client: httpx2.AsyncClient,
    make_client: MakeClient,
    store: Store,
    account: Account,
) -> None:
    _, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:two:run"])
    narrow = await make_client(secret)
    session = await begin(narrow)

    async with watching(narrow, session) as lines:
        await anext(lines)
        await strangers_client.post("/api/workflows", json=greeting("Foreign"))
        await client.post("/api/workflows", json=greeting("One"))
        change = asyncio.create_task(next_change(lines))
        done, _ = await asyncio.wait([change], timeout=2.5)
        assert not done
        await client.post("/api/workflows", json=greeting("Two"))
        await change


async def test_a_stream_ends_with_its_key(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    session = await begin(client)

    async with watching(client, session) as lines:
        await anext(lines)
        for key in await store.api_keys.list(account.id):
            await store.api_keys.revoke(key.id, owner=account.id)
        assert [line async for line in lines if line.startswith("data")] == []


async def test_a_stream_ends_with_its_gateway(client: httpx2.AsyncClient, gateway: Gateway) -> None:
    session = await begin(client)

    async with watching(client, session) as lines:
        await anext(lines)
        gateway.stopping.set()
        assert [line async for line in lines if line.startswith("data")] == []


async def test_a_get_without_a_session_or_a_stream_is_refused(
    client: httpx2.AsyncClient,
) -> None:
    session = await begin(client)

    without = await client.get("/mcp", headers=STREAM)
    plain = await client.get(
        "/mcp", headers={"accept": "application/json", "mcp-session-id": session}
    )

    assert (without.status_code, without.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert (plain.status_code, plain.json()["code"]) == (406, "NOT_ACCEPTABLE")


async def test_a_greedy_account_leaves_the_streams_of_its_neighbour_alone(
    client: httpx2.AsyncClient,
    strangers_client: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session, neighbours = await begin(client), await begin(strangers_client)

    async with contextlib.AsyncExitStack() as stack:
        for _ in range(open_streams.MOST_OF_AN_ACCOUNT):
            await stack.enter_async_context(watching(client, session))
        refused = await client.get("/mcp", headers=STREAM | {"mcp-session-id": session})
        async with watching(strangers_client, neighbours) as lines:
            await anext(lines)
            await strangers_client.post("/api/workflows", json=greeting())
            await next_change(lines)

    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert refused.headers["retry-after"]
    async with watching(client, session, accept=ACCEPT) as lines:
        await anext(lines)
