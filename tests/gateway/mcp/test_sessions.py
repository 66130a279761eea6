"""Sessions of clients of older revisions."""

import httpx2
import pytest

from engine.access.sealing import Sealer
from engine.errors import NotFound
from engine.settings import Settings
from engine.store import Account, Store
from gateway.mcp.sessions import McpSessions
from tests.gateway.conftest import MakeClient, serving
from tests.support.gateway.mcp_clients import ACCEPT, legacy_message

BEGIN = legacy_message(
    "initialize",
    protocolVersion="2025-11-25",
    capabilities={},
    clientInfo={"name": "test", "version": "1"},
)
PING = legacy_message("ping")


async def begin(client: httpx2.AsyncClient) -> str:
    answer = await client.post("/mcp", json=BEGIN, headers={"accept": ACCEPT})
    assert answer.status_code == 200
    assert '"listChanged":true' in answer.text
    session: str = answer.headers["mcp-session-id"]
    assert all("\x21" <= character <= "\x7e" for character in session)
    return session


async def status_with(client: httpx2.AsyncClient, session: str, method: str = "POST") -> int:
    headers = {"accept": ACCEPT, "mcp-session-id": session}
    return (await client.request(method, "/mcp", json=PING, headers=headers)).status_code


async def test_a_session_is_known_to_every_gateway_and_after_a_restart(
    client: httpx2.AsyncClient, settings: Settings, api_key: str
) -> None:
    session = await begin(client)

    async with serving(settings) as other:
        headers = {"x-api-key": api_key}
        async with httpx2.AsyncClient(base_url=other.url, headers=headers) as elsewhere:
            assert await status_with(elsewhere, session) == 200


async def test_a_session_is_of_its_key_alone(
    client: httpx2.AsyncClient,
    strangers_client: httpx2.AsyncClient,
    make_client: MakeClient,
    store: Store,
    account: Account,
) -> None:
    session = await begin(client)
    _, secret = await store.api_keys.create(account, name="b", capabilities=["workflow:run"])
    sibling = await make_client(secret)

    assert await status_with(client, session) == 200
    assert await status_with(sibling, session) == 404
    assert await status_with(strangers_client, session) == 404


@pytest.mark.parametrize("session", ["", "x", "A" * 150, "A" * 5_000, "é", "AQ==", "%00"])
async def test_a_session_that_no_gateway_gave_is_not_found(
    client: httpx2.AsyncClient, session: str
) -> None:
    for method in ("POST", "GET", "DELETE"):
        headers = {"accept": ACCEPT, "mcp-session-id": session.encode()}
        answer = await client.request(method, "/mcp", json=PING, headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
        assert "initialize" in answer.json()["error"]


async def test_a_changed_session_is_not_found(client: httpx2.AsyncClient) -> None:
    session = await begin(client)

    changed = session[:-5] + ("A" if session[-5] != "A" else "B") + session[-4:]

    assert await status_with(client, changed) == 404


async def test_a_session_ends_with_its_key_alone(client: httpx2.AsyncClient) -> None:
    session = await begin(client)

    for headers in ({"mcp-session-id": session}, {}):
        answer = await client.delete("/mcp", headers=headers)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert await status_with(client, session) == 200


async def test_an_installation_without_a_secret_key_has_no_sessions(
    store: Store, api_key: str
) -> None:
    principal, sessions = await store.api_keys.authorize(api_key), McpSessions(Sealer(()))

    assert sessions.begin(principal) == ""
    with pytest.raises(NotFound):
        sessions.check("x", principal)
