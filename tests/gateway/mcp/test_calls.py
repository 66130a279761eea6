"""Calls of tools."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from mcp import MCPError
from mcp_types import CallToolResult, TextContent

from engine.access.capabilities import Tier
from engine.graph.document import parse_document
from engine.settings import Settings
from engine.store import Account, Store
from gateway.mcp.results import COST, ERROR, EXECUTION
from tests.gateway.conftest import Gateway
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import EngineFails, FakeWorker, NodeFails
from tests.support.gateway.mcp_clients import (
    ACCEPT,
    LEGACY,
    MODERN,
    connected,
    legacy_message,
    modern_headers,
    modern_message,
)

MODES = pytest.mark.parametrize("mode", [MODERN, LEGACY])
CALL: dict[str, Any] = {"name": "greeting", "arguments": {"name": "Ada"}}


@pytest.fixture(autouse=True)
async def saved(client: httpx2.AsyncClient) -> None:
    await client.post("/api/workflows", json=greeting())


async def rows(client: httpx2.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get("/api/executions")).json()["rows"]
    return found


async def only_row(client: httpx2.AsyncClient) -> dict[str, Any]:
    (row,) = await eventually(lambda: rows(client))
    return row


async def status_of(client: httpx2.AsyncClient, execution_id: str) -> str:
    status: str = (await client.get(f"/api/executions/{execution_id}")).json()["status"]
    return status


def error_of(result: CallToolResult) -> dict[str, Any]:
    assert result.is_error
    assert result.meta is not None
    error: dict[str, Any] = result.meta[ERROR]
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert content.text == f"{error['code']}: {error['error']}"
    return error


@MODES
async def test_a_result_names_its_execution_and_cost(
    gateway: Gateway, client: httpx2.AsyncClient, api_key: str, worker: FakeWorker, mode: str
) -> None:
    async with connected(gateway.url, api_key, mode) as mcp:
        result = await mcp.call_tool("greeting", {"name": "Ada"})

    row = await only_row(client)
    assert result.content == [TextContent(text="Ada")]
    assert result.meta is not None
    assert result.meta[EXECUTION] == row["executionId"]
    assert result.meta[COST] == 0
    assert (row["source"], row["status"]) == ("mcp", "completed")


@MODES
@pytest.mark.parametrize(
    ("outcome", "code"),
    [(NodeFails("text", "no value"), "EXECUTION_FAILED"), (EngineFails(), "INTERNAL_ERROR")],
)
async def test_a_failed_run_is_an_error_of_the_tool(
    gateway: Gateway, api_key: str, worker: FakeWorker, mode: str, outcome: Any, code: str
) -> None:
    worker.outcome = lambda inputs: outcome

    async with connected(gateway.url, api_key, mode) as mcp:
        result = await mcp.call_tool("greeting", {"name": "Ada"})

    assert error_of(result)["code"] == code


@MODES
@pytest.mark.parametrize(
    "arguments", [{}, {"name": 7}, {"name": "x" * 41}], ids=["missing", "type", "length"]
)
async def test_arguments_that_do_not_fit_are_an_error_of_the_tool(
    gateway: Gateway,
    client: httpx2.AsyncClient,
    api_key: str,
    mode: str,
    arguments: Mapping[str, Any],
) -> None:
    async with connected(gateway.url, api_key, mode) as mcp:
        result = await mcp.call_tool("greeting", dict(arguments))

    error = error_of(result)
    assert (error["code"], error["field"]) == ("INVALID_INPUTS", "name")
    assert await rows(client) == []


@MODES
@pytest.mark.parametrize("name", ["nothing", "Not A Slug", "../x", "x" * 500])
async def test_a_tool_that_is_not_there_is_an_error_of_the_protocol(
    gateway: Gateway, api_key: str, mode: str, name: str
) -> None:
    async with connected(gateway.url, api_key, mode) as mcp:
        with pytest.raises(MCPError, match="Unknown tool"):
            await mcp.call_tool(name, {})


async def test_tools_that_are_not_listed_cannot_be_called(
    gateway: Gateway,
    client: httpx2.AsyncClient,
    strangers_client: httpx2.AsyncClient,
    store: Store,
    account: Account,
    api_key: str,
) -> None:
    await strangers_client.post("/api/workflows", json=greeting("Open", publicPlayground=True))
    await client.post("/api/workflows", json=greeting("Other", hidden=True))
    await client.put("/api/workflows/greeting", json={"archived": True})
    _, narrow = await store.api_keys.create(
        account, name="narrow", capabilities=["workflow:other:run"]
    )

    for key, name in (
        (api_key, "open"),
        (api_key, "other"),
        (api_key, "greeting"),
        (narrow, "greeting"),
    ):
        async with connected(gateway.url, key) as mcp:
            with pytest.raises(MCPError, match="Unknown tool"):
                await mcp.call_tool(name, {"name": "Ada"})
    assert await rows(client) == []


async def test_an_account_that_is_not_approved_runs_nothing(gateway: Gateway, store: Store) -> None:
    account = await store.accounts.create(email="new@example.com", tier=Tier.PRO, approved=False)
    await store.workflows.create(account.id, parse_document(greeting("New")), [])
    _, key = await store.api_keys.create(account, name="test", capabilities=["workflow:run"])

    async with connected(gateway.url, key) as mcp:
        result = await mcp.call_tool("new", {"name": "Ada"})

    assert error_of(result)["code"] == "ACCOUNT_NOT_APPROVED"


@MODES
async def test_the_rate_limit_of_runs_is_an_error_of_the_tool(
    gateway: Gateway,
    client: httpx2.AsyncClient,
    api_key: str,
    worker: FakeWorker,
    young_window: None,
    mode: str,
) -> None:
    async with connected(gateway.url, api_key, mode) as mcp:
        while True:
            answer = await client.post("/api/workflows/greeting/run", json={"inputs": {}})
            if answer.status_code == 429:
                break
        result = await mcp.call_tool("greeting", {"name": "Ada"})
        listed = await mcp.list_tools()

    error = error_of(result)
    assert error["code"] == "RATE_LIMIT_EXCEEDED"
    assert error["retryAfter"] > 0
    assert listed.tools


async def test_a_call_tells_the_window_of_runs_in_its_headers(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    message = modern_message("tools/call", **CALL)

    modern = await client.post("/mcp", json=message, headers=modern_headers(message))
    legacy = await client.post(
        "/mcp", json=legacy_message("tools/call", **CALL), headers={"accept": ACCEPT}
    )

    left = [int(each.headers["x-ratelimit-remaining"]) for each in (modern, legacy)]
    assert left[0] - left[1] == 1


async def test_a_loop_over_calls_ends(client: httpx2.AsyncClient) -> None:
    message = modern_message("tools/call", **CALL)
    headers = modern_headers(message) | {"headrace-depth": "8"}

    answer = await client.post("/mcp", json=message, headers=headers)

    result = answer.json()["result"]
    assert result["_meta"][ERROR]["code"] == "LOOP_DETECTED"


async def test_the_connection_of_the_newest_revision_cancels_its_run_when_it_drops(
    gateway: Gateway, client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    worker.is_idle = True
    message = modern_message("tools/call", **CALL)
    call = asyncio.create_task(
        client.post("/mcp", json=message, headers=modern_headers(message), timeout=30)
    )
    row = await only_row(client)

    call.cancel()

    await eventually(
        lambda: status_of(client, row["executionId"]),
        lambda status: status in ("cancel_requested", "cancelled"),
    )


async def test_the_run_of_an_older_revision_goes_on_when_its_connection_drops(
    gateway: Gateway, client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    worker.is_idle = True
    message = legacy_message("tools/call", **CALL)
    call = asyncio.create_task(
        client.post("/mcp", json=message, headers={"accept": ACCEPT}, timeout=30)
    )
    row = await only_row(client)

    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    await client.get("/api/executions")
    worker.is_idle = False

    await eventually(
        lambda: status_of(client, row["executionId"]), lambda status: status == "completed"
    )


async def test_a_client_of_a_session_cancels_its_call_by_a_notification(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    worker.is_idle = True
    begin = legacy_message(
        "initialize",
        0,
        protocolVersion="2025-11-25",
        capabilities={},
        clientInfo={"name": "test", "version": "1"},
    )
    begun = await client.post("/mcp", json=begin, headers={"accept": ACCEPT})
    session = {"accept": ACCEPT, "mcp-session-id": begun.headers["mcp-session-id"]}
    message = legacy_message("tools/call", "call-1", **CALL)
    call = asyncio.create_task(client.post("/mcp", json=message, headers=session, timeout=30))
    row = await only_row(client)

    async def cancel(request_id: Any) -> str:
        note = legacy_message("notifications/cancelled", None, requestId=request_id)
        answer = await client.post("/mcp", json=note, headers=session)
        assert answer.status_code == 202
        return await status_of(client, row["executionId"])

    for other in ("call-2", 1, None, [], {}):
        assert await cancel(other) == "processing"
    await eventually(lambda: cancel("call-1"), lambda status: status != "processing")
    worker.is_idle = False
    assert "EXECUTION_CANCELLED" in (await call).text


class TestShortWaits:
    """Calls that last longer than `HEADRACE_SYNC_TIMEOUT`."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, sync_timeout=0.2)

    @MODES
    async def test_a_run_that_lasts_longer_goes_on(
        self,
        gateway: Gateway,
        client: httpx2.AsyncClient,
        api_key: str,
        worker: FakeWorker,
        mode: str,
    ) -> None:
        worker.is_idle = True

        async with connected(gateway.url, api_key, mode) as mcp:
            result = await mcp.call_tool("greeting", {"name": "Ada"})

        row = await only_row(client)
        error = error_of(result)
        assert (error["code"], error["executionId"]) == ("EXECUTION_GOES_ON", row["executionId"])
        assert row["status"] == "processing"


@MODES
async def test_a_gateway_that_stops_lets_the_run_go_on(
    gateway: Gateway,
    store: Store,
    account: Account,
    client: httpx2.AsyncClient,
    api_key: str,
    worker: FakeWorker,
    mode: str,
) -> None:
    worker.is_idle = True
    async with connected(gateway.url, api_key, mode) as mcp:
        call = asyncio.create_task(mcp.call_tool("greeting", {"name": "Ada"}))
        row = await only_row(client)
        gateway.stopping.set()
        result = await call

    assert error_of(result)["code"] == "EXECUTION_GOES_ON"
    execution = await store.executions.head(account.id, row["executionId"])
    assert execution.status == "processing"


@MODES
async def test_starts_and_ends_of_nodes_are_progress(
    gateway: Gateway, api_key: str, worker: FakeWorker, mode: str
) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async with connected(gateway.url, api_key, mode) as mcp:
        result = await mcp.call_tool("greeting", {"name": "Ada"}, progress_callback=note)

    assert not result.is_error
    amounts = [progress for progress, _, _ in told]
    assert amounts == sorted(set(amounts))
    assert {total for _, total, _ in told} == {6.0}
    messages = [message or "" for _, _, message in told]
    assert any("'text'" in message and "has ended: completed" in message for message in messages)


async def test_a_call_that_is_sent_again_with_its_key_runs_once(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    answers = []
    for number, name in enumerate(("Ada", "Ada", "Eve")):
        message = modern_message("tools/call", number, name="greeting", arguments={"name": name})
        headers = {**modern_headers(message), "idempotency-key": "one"}
        answer = await client.post("/mcp", json=message, headers=headers)
        answers.append(answer.json()["result"])

    first, again, other = answers
    assert again["_meta"][EXECUTION] == first["_meta"][EXECUTION]
    assert again["structuredContent"] == first["structuredContent"]
    assert other["isError"] and other["_meta"][ERROR]["code"] == "IDEMPOTENCY_KEY_REUSED"
