"""The route `/mcp`: its guard, and the official client over real HTTP."""

import json
from dataclasses import replace

import httpx2
import pytest

from engine.process.extras import install_hint
from engine.settings import Settings
from engine.store import Account, Store
from gateway import mcp_host
from tests.gateway.conftest import Gateway, MakeClient
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker
from tests.support.gateway.mcp_clients import (
    ACCEPT,
    LEGACY,
    MODERN,
    connected,
    legacy_message,
    modern_headers,
    modern_message,
)
from tests.support.gateway.raw_requests import exchange, request, statuses

HEADERS = {"accept": ACCEPT}
PING = legacy_message("ping")


async def test_white_space_after_the_value_of_a_header_is_none_of_it(
    gateway: Gateway, client: httpx2.AsyncClient, api_key: str, worker: FakeWorker
) -> None:
    await client.post("/api/workflows", json=greeting())
    call = modern_message("tools/call", name="greeting", arguments={"name": "Ada"})
    headers = {**modern_headers(call), "x-api-key": api_key}
    lines = [f"{name}: {value}  " for name, value in headers.items()]

    answer = await exchange(gateway.url, request("POST", "/mcp", *lines, body=json.dumps(call)))

    assert statuses(answer) == [200], answer


@pytest.mark.parametrize("mode", [MODERN, LEGACY])
async def test_the_official_client_lists_and_calls_a_workflow(
    gateway: Gateway, client: httpx2.AsyncClient, api_key: str, worker: FakeWorker, mode: str
) -> None:
    await client.post("/api/workflows", json=greeting())

    async with connected(gateway.url, api_key, mode) as mcp:
        listed = await mcp.list_tools()
        result = await mcp.call_tool("greeting", {"name": "Ada"})

    assert [tool.name for tool in listed.tools] == ["greeting"]
    assert result.structured_content == {"text": "Ada"}
    assert not result.is_error
    (row,) = (await client.get("/api/executions")).json()["rows"]
    assert row["source"] == "mcp"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": "hr_live_nothing"},
        {"authorization": "Bearer nothing"},
        {"authorization": "Basic {key}"},
        {"authorization": "Bearer {key}", "x-api-key": "{key}"},
        {"cookie": "headrace_session=nothing"},
    ],
)
async def test_anything_but_one_good_key_is_unauthorized(
    make_client: MakeClient, api_key: str, headers: dict[str, str]
) -> None:
    client = await make_client()
    sent = {name: value.format(key=api_key) for name, value in headers.items()}

    for method in ("POST", "GET", "DELETE", "PUT", "OPTIONS"):
        answer = await client.request(method, "/mcp", json=PING, headers=HEADERS | sent)

        if method in ("PUT", "OPTIONS"):
            assert answer.status_code in (401, 405)
            continue
        assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})
        assert answer.headers["www-authenticate"].startswith("Bearer resource_metadata=")
        assert answer.headers["cache-control"] == "no-store"


async def test_a_session_of_a_browser_is_no_key(browser: httpx2.AsyncClient) -> None:
    answer = await browser.post("/mcp", json=PING, headers=HEADERS)

    assert answer.status_code == 401


async def test_a_key_that_was_deleted_is_refused_at_once(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    before = await client.post("/mcp", json=PING, headers=HEADERS)
    for key in await store.api_keys.list(account.id):
        await store.api_keys.revoke(key.id, owner=account.id)
    after = await client.post("/mcp", json=PING, headers=HEADERS)

    assert (before.status_code, after.status_code) == (200, 401)


async def test_the_metadata_has_the_public_address(
    make_client: MakeClient, gateway: Gateway
) -> None:
    client = await make_client()

    answer = await client.post("/mcp", json=PING, headers=HEADERS)

    address = f"{gateway.url}/.well-known/oauth-protected-resource"
    assert answer.headers["www-authenticate"] == f'Bearer resource_metadata="{address}"'


class TestGuesses:
    """Wrong keys, with the setting `HEADRACE_FAILED_CALLS_PER_MINUTE`."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, failed_calls_per_minute=3)

    async def test_an_address_may_guess_a_few_keys_alone(
        self, client: httpx2.AsyncClient, make_client: MakeClient
    ) -> None:
        guesser = await make_client()
        await client.post("/mcp", json=PING, headers=HEADERS)

        answers = [
            await guesser.post(
                "/mcp", json=PING, headers=HEADERS | {"authorization": f"Bearer {number}"}
            )
            for number in range(5)
        ]

        assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
        assert (await client.post("/mcp", json=PING, headers=HEADERS)).status_code == 200


@pytest.mark.parametrize("key", ["", "hr_live_nothing"])
async def test_a_large_body_is_read_of_known_callers_alone(gateway: Gateway, key: str) -> None:
    head = ("content-type: application/json", "content-length: 900000", f"x-api-key: {key}")

    answer = await exchange(gateway.url, request("POST", "/mcp", *head))

    assert statuses(answer) == [401]


class TestOrigins:
    """Pages of other sites, with the setting `HEADRACE_CORS_ORIGINS`."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, cors_origins="https://inspector.example")

    @pytest.mark.parametrize(
        ("origin", "status"),
        [
            ("https://inspector.example", 200),
            ("https://evil.example", 403),
            ("https://inspector.example.evil.example", 403),
            ("null", 403),
            ("", 403),
            ("{own}", 200),
            ("{own}/", 403),
        ],
    )
    async def test_an_origin_is_an_own_or_a_listed_one(
        self, client: httpx2.AsyncClient, gateway: Gateway, origin: str, status: int
    ) -> None:
        headers = HEADERS | {"origin": origin.format(own=gateway.url)}

        answer = await client.post("/mcp", json=PING, headers=headers)

        assert answer.status_code == status
        if status == 403:
            assert answer.json()["code"] == "ORIGIN_DENIED"

    async def test_a_listed_origin_may_send_the_headers_of_the_protocol(
        self, client: httpx2.AsyncClient
    ) -> None:
        wanted = "authorization,mcp-protocol-version,mcp-session-id,mcp-method,mcp-name"
        headers = {
            "origin": "https://inspector.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": wanted,
        }

        answer = await client.options("/mcp", headers=headers)

        assert answer.status_code == 204
        allowed = answer.headers["access-control-allow-headers"]
        assert set(wanted.split(",")) <= set(allowed.split(", "))


async def test_a_gateway_without_the_library_says_how_to_get_it(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_host, "SERVER", "mcp.is_not_here")

    answer = await client.post("/mcp", json=PING, headers=HEADERS)

    assert (answer.status_code, answer.json()["code"]) == (501, "NOT_IMPLEMENTED")
    assert install_hint("mcp") in answer.json()["error"]


async def test_a_body_over_the_limit_is_refused(client: httpx2.AsyncClient) -> None:
    message = legacy_message("tools/call", name="x", arguments={"a": "b" * 1_100_000})

    answer = await client.post("/mcp", json=message, headers=HEADERS)

    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"1", b'{"a":' * 200 + b"1" + b"}" * 200, b"\xff", b"null"]
)
@pytest.mark.parametrize("version", ["2025-06-18", MODERN])
async def test_a_body_that_is_no_message_is_the_clients_fault(
    client: httpx2.AsyncClient, body: bytes, version: str
) -> None:
    headers = HEADERS | {"content-type": "application/json", "mcp-protocol-version": version}

    answer = await client.post("/mcp", content=body, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in (-32700, -32600, -32602)


async def test_a_path_with_a_slash_is_another_one(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/mcp/", json=PING, headers=HEADERS)

    assert answer.status_code == 404


async def test_an_unknown_revision_is_told_the_known_ones(client: httpx2.AsyncClient) -> None:
    message = modern_message("tools/list")
    headers = modern_headers(message) | {"mcp-protocol-version": "2030-01-01"}

    answer = await client.post("/mcp", json=message, headers=headers)

    assert answer.status_code == 400
