"""The list of tools."""

from typing import Any

import httpx2
import pytest

from engine.graph.document import parse_document
from engine.store import Account, Store
from tests.gateway.conftest import Gateway
from tests.support.gateway.documents import broken, edge, greeting, node
from tests.support.gateway.mcp_clients import (
    ACCEPT,
    LEGACY,
    MODERN,
    connected,
    legacy_message,
    modern_headers,
    modern_message,
)

WORKFLOWS = "/api/workflows"


def named(**members: Any) -> dict[str, Any]:
    """Return a workflow with named outputs."""
    document = greeting(**members)
    document["nodes"][2] = node("out", "responseOutput", fields=[{"name": "hello"}])
    document["edges"][1] = edge("text", "text-out", "out", "hello")
    return document


async def list_names(gateway: Gateway, key: str, mode: str = MODERN) -> list[str]:
    async with connected(gateway.url, key, mode) as client:
        return [tool.name for tool in (await client.list_tools()).tools]


@pytest.mark.parametrize("mode", [MODERN, LEGACY])
async def test_a_tool_has_the_name_the_texts_and_the_schemas_of_its_workflow(
    gateway: Gateway, client: httpx2.AsyncClient, api_key: str, mode: str
) -> None:
    document = named(name="Say Hello", description="Greets somebody.")
    await client.post(WORKFLOWS, json=document)

    async with connected(gateway.url, api_key, mode) as mcp:
        (tool,) = (await mcp.list_tools()).tools

    assert (tool.name, tool.title) == ("say-hello", "Say Hello")
    assert tool.description == "Greets somebody."
    answer = await client.get(
        f"{WORKFLOWS}/say-hello/schema", headers={"accept": "application/schema+json"}
    )
    schema = answer.json()
    del schema["title"]
    assert tool.input_schema == schema
    assert tool.output_schema is not None
    assert set(tool.output_schema["properties"]) == {"hello"}


async def test_a_file_is_given_by_its_address_or_by_the_id_of_an_asset(
    gateway: Gateway, client: httpx2.AsyncClient, api_key: str
) -> None:
    form = node("in", "requestInput", fields=[{"name": "invoice", "type": "file"}])
    out = node("out", "responseOutput")
    edges = [edge("in", "invoice", "out", "result-in")]
    await client.post(WORKFLOWS, json={"name": "Echo", "nodes": [form, out], "edges": edges})

    async with connected(gateway.url, api_key) as mcp:
        (tool,) = (await mcp.list_tools()).tools

    schema = tool.input_schema["properties"]["invoice"]
    url, asset = schema["anyOf"]
    assert (schema["type"], url["format"], asset["title"]) == ("string", "uri", "Id of an asset")
    assert "PDF" in schema["description"]


async def test_an_unnamed_output_has_no_schema(
    gateway: Gateway, client: httpx2.AsyncClient, api_key: str
) -> None:
    await client.post(WORKFLOWS, json=greeting())

    async with connected(gateway.url, api_key) as mcp:
        (tool,) = (await mcp.list_tools()).tools

    assert tool.output_schema is None
    assert tool.description is None


async def test_hidden_archived_broken_and_draft_workflows_are_no_tools(
    gateway: Gateway, client: httpx2.AsyncClient, api_key: str
) -> None:
    for document in (
        greeting(name="Shown"),
        greeting(name="Hidden", hidden=True),
        greeting(name="Archived", archived=True),
        greeting(name="Draft") | {"draft": True},
        broken(name="Broken") | {"draft": True},
    ):
        assert (await client.post(WORKFLOWS, json=document)).status_code == 201

    assert await list_names(gateway, api_key) == ["shown"]
    await client.put(f"{WORKFLOWS}/shown", json={"hidden": True})
    assert await list_names(gateway, api_key) == []
    await client.put(f"{WORKFLOWS}/shown", json={"hidden": False})
    await client.delete(f"{WORKFLOWS}/shown")
    assert await list_names(gateway, api_key) == []


async def test_foreign_workflows_are_no_tools(
    gateway: Gateway,
    client: httpx2.AsyncClient,
    strangers_client: httpx2.AsyncClient,
    api_key: str,
) -> None:
    await client.post(WORKFLOWS, json=greeting(name="Own"))
    await strangers_client.post(WORKFLOWS, json=greeting(name="Foreign"))
    await strangers_client.post(WORKFLOWS, json=greeting(name="Public", publicPlayground=True))
    await strangers_client.post(WORKFLOWS, json=greeting(name="Template", isTemplate=True))

    assert await list_names(gateway, api_key) == ["own"]


async def test_a_key_sees_the_workflows_that_it_may_run(
    gateway: Gateway, client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    for name in ("One", "Two", "Three"):
        await client.post(WORKFLOWS, json=greeting(name=name))
    keys = {
        ("workflow:one:run", "workflow:three:run"): ["one", "three"],
        ("workflow:run",): ["one", "three", "two"],
        ("workflow:read",): [],
    }

    for capabilities, expected in keys.items():
        _, key = await store.api_keys.create(account, name="k", capabilities=capabilities)
        assert await list_names(gateway, key) == expected


async def test_pages_have_a_hundred_tools_in_the_order_of_their_names(
    gateway: Gateway, store: Store, account: Account, api_key: str
) -> None:
    for number in range(203):
        document = greeting(name=f"w {number:03}", hidden=number % 100 == 50)
        await store.workflows.create(account.id, parse_document(document), [])

    names: list[list[str]] = []
    async with connected(gateway.url, api_key) as mcp:
        cursor = None
        while True:
            page = await mcp.list_tools(cursor=cursor)
            names.append([tool.name for tool in page.tools])
            cursor = page.next_cursor
            if cursor is None:
                break

    expected = [f"w-{number:03}" for number in range(203) if number % 100 != 50]
    assert [len(page) for page in names] == [100, 100, 1]
    assert sum(names, []) == expected


@pytest.mark.parametrize("cursor", ["A", "", "a/b", "x" * 100, "\x00"])
async def test_a_cursor_that_no_list_gave_is_refused(
    client: httpx2.AsyncClient, cursor: str
) -> None:
    message = modern_message("tools/list", cursor=cursor)

    answer = await client.post("/mcp", json=message, headers=modern_headers(message))

    assert answer.json()["error"]["code"] == -32602


@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
async def test_each_revision_gets_a_list_that_it_knows(
    client: httpx2.AsyncClient, version: str
) -> None:
    await client.post(WORKFLOWS, json=named())
    headers = {"accept": ACCEPT, "mcp-protocol-version": version}

    answer = await client.post("/mcp", json=legacy_message("tools/list"), headers=headers)

    assert answer.status_code == 200
    assert '"name":"greeting"' in answer.text
