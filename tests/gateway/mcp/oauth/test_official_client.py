"""The official client connects by OAuth alone, knowing nothing but the address of `/mcp`."""

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from pydantic import AnyUrl

from tests.gateway.conftest import Gateway
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker
from tests.support.oauth.browser_flow import REDIRECT, query_of


class Memory:
    """Storage of the client for one connection."""

    tokens: OAuthToken | None = None
    client_info: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client_info

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client_info = client_info


async def test_the_official_client_connects_and_calls_a_granted_workflow(
    gateway: Gateway,
    browser: httpx2.AsyncClient,
    anonymous: httpx2.AsyncClient,
    worker: FakeWorker,
) -> None:
    await browser.post("/api/workflows", json=greeting())
    await browser.post("/api/workflows", json={**greeting(), "name": "Other"})
    sent_to: list[str] = []

    async def visit(url: str) -> None:
        page = str((await anonymous.get(url)).headers["location"])
        path = page.replace("/app/connect/", "/api/grant-requests/")
        answer = await browser.post(path, json={"granted": True, "workflows": ["greeting"]})
        sent_to.append(answer.json()["redirectTo"])

    async def called_back() -> AuthorizationCodeResult:
        return AuthorizationCodeResult.model_validate(query_of(sent_to[-1]))

    memory = Memory()
    auth = OAuthClientProvider(
        f"{gateway.url}/mcp",
        OAuthClientMetadata(client_name="Official", redirect_uris=[AnyUrl(REDIRECT)]),
        memory,
        visit,
        called_back,
    )
    async with (
        httpx2.AsyncClient(auth=auth, timeout=30) as http,
        Client(streamable_http_client(f"{gateway.url}/mcp", http_client=http)) as client,
    ):
        tools = (await client.list_tools()).tools
        result = await client.call_tool("greeting", {"name": "Ada"})

    assert [tool.name for tool in tools] == ["greeting"]
    assert result.structured_content == {"text": "Ada"}
    assert memory.tokens is not None
    assert memory.tokens.scope == "workflow:greeting:run"
    assert len(sent_to) == 1
