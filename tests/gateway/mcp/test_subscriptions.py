"""Streams of `subscriptions/listen`."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from engine.store import Account, Store
from gateway.admission import open_streams
from tests.gateway.conftest import Gateway
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting
from tests.support.gateway.mcp_clients import (
    CAPABILITIES,
    connected,
    modern_headers,
    modern_message,
)

TASKS = "io.modelcontextprotocol/tasks"
TOOLS = {"toolsListChanged": True}
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"


@contextlib.asynccontextmanager
async def listening(
    client: httpx2.AsyncClient, request_id: Any = 1, **kinds: Any
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Yield the messages of a stream."""
    message = modern_message("subscriptions/listen", request_id, notifications=kinds or TOOLS)
    async with client.stream(
        "POST", "/mcp", json=message, headers=modern_headers(message)
    ) as answer:
        assert answer.status_code == 200, await answer.aread()
        yield _messages(answer)


async def _messages(answer: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in answer.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def test_the_subscription_is_acknowledged_and_told_of_each_change(
    client: httpx2.AsyncClient,
) -> None:
    async with listening(client, "s-1") as messages:
        acknowledged = await anext(messages)
        await client.post("/api/workflows", json=greeting())
        changed = await anext(messages)
        await client.delete("/api/workflows/greeting")
        again = await anext(messages)

    assert acknowledged["method"] == "notifications/subscriptions/acknowledged"
    assert acknowledged["params"]["notifications"] == TOOLS
    for message in (changed, again):
        assert message["method"] == "notifications/tools/list_changed"
        assert message["params"]["_meta"][SUBSCRIPTION] == "s-1"


async def test_kinds_that_never_come_are_not_promised(client: httpx2.AsyncClient) -> None:
    kinds = {**TOOLS, "promptsListChanged": True, "resourceSubscriptions": ["file:///x"]}

    async with listening(client, **kinds) as messages:
        acknowledged = await anext(messages)

    assert acknowledged["params"]["notifications"] == TOOLS


async def test_a_subscription_ends_with_its_gateway_by_a_result(
    client: httpx2.AsyncClient, gateway: Gateway
) -> None:
    async with listening(client, 7) as messages:
        await anext(messages)
        gateway.stopping.set()
        rest = [message async for message in messages]

    assert [message.get("id") for message in rest] == [7]
    assert "result" in rest[0]


async def test_a_subscription_ends_with_its_key(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    async with listening(client) as messages:
        await anext(messages)
        for key in await store.api_keys.list(account.id):
            await store.api_keys.revoke(key.id, owner=account.id)
        rest = [message async for message in messages]

    assert [message.get("id") for message in rest] == [1]


async def test_an_account_has_a_bound_of_streams_and_its_neighbour_all_of_its_own(
    client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient
) -> None:
    message = modern_message("subscriptions/listen", notifications=TOOLS)
    headers = modern_headers(message)

    async with contextlib.AsyncExitStack() as stack:
        for number in range(open_streams.MOST_OF_AN_ACCOUNT):
            await stack.enter_async_context(listening(client, number))
        refused = await client.post("/mcp", json=message, headers=headers)
        async with listening(strangers_client) as messages:
            await anext(messages)

    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMIT_EXCEEDED")

    async def listen_again() -> bool:
        with contextlib.suppress(AssertionError):
            async with listening(client) as messages:
                await anext(messages)
            return True
        return False

    assert await eventually(listen_again)


async def test_the_official_client_is_told_of_changes(
    gateway: Gateway, client: httpx2.AsyncClient, api_key: str
) -> None:
    async with (
        connected(gateway.url, api_key) as mcp,
        mcp.listen(tools_list_changed=True) as subscription,
    ):
        await client.post("/api/workflows", json=greeting())
        event = await asyncio.wait_for(anext(aiter(subscription)), 10)

    assert type(event).__name__ == "ToolsListChanged"


async def test_clients_without_tasks_cannot_ask_to_be_told_of_them(
    client: httpx2.AsyncClient,
) -> None:
    message = modern_message("subscriptions/listen", notifications={"taskIds": ["one"]})

    answer = await client.post("/mcp", json=message, headers=modern_headers(message))

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32021)
    assert TASKS in answer.json()["error"]["data"]["requiredCapabilities"]["extensions"]


async def test_tasks_are_polled_and_not_told(client: httpx2.AsyncClient) -> None:
    declared = {CAPABILITIES: {"extensions": {TASKS: {}}}}
    wanted = {**TOOLS, "taskIds": ["one"]}
    message = modern_message("subscriptions/listen", notifications=wanted, _meta=declared)

    async with client.stream(
        "POST", "/mcp", json=message, headers=modern_headers(message)
    ) as answer:
        acknowledged = await anext(_messages(answer))

    assert acknowledged["params"]["notifications"] == TOOLS
