"""Attacks on OAuth: codes used twice, redirects, foreign clients, and floods."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.ids import tokens
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.accounts.oauth import keys
from engine.store.accounts.oauth.clients import MOST_PER_HOUR
from engine.store.accounts.oauth.grant_requests import MOST_PER_ADDRESS
from tests.gateway.conftest import MakeBrowser, serving
from tests.support.gateway.documents import greeting
from tests.support.oauth.browser_flow import REDIRECT, Flow

KEYS = "/api/api-keys"


async def names_of(browser: httpx2.AsyncClient) -> list[str]:
    return [key["name"] for key in (await browser.get(KEYS)).json()]


@pytest.mark.A99a
async def test_a_code_that_is_used_twice_ends_the_key_that_it_became(
    flow: Flow, browser: httpx2.AsyncClient
) -> None:
    code = (await flow.grant(browser))["code"]

    first = await flow.exchange(code)
    second = await flow.exchange(code)

    assert (first.status_code, second.status_code) == (200, 400)
    assert second.json()["error"] == "invalid_grant"
    assert await names_of(browser) == []


@pytest.mark.A99a
async def test_of_twenty_exchanges_at_once_one_succeeds(
    flow: Flow, browser: httpx2.AsyncClient
) -> None:
    code = (await flow.grant(browser))["code"]

    answers = await asyncio.gather(*(flow.exchange(code) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19
    assert await names_of(browser) == []


@pytest.mark.A99a
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": "x" * 64}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:5000/other"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"resource": "https://other.example/mcp"}, "invalid_target"),
        ({"client_id": "OTHER"}, "invalid_grant"),
        ({"client_id": "no-such"}, "invalid_client"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "invalid_request"),
        ({"grant_type": "password", "username": "eve", "password": "eve"}, "invalid_request"),
        ({"code": "hr_code_" + "A" * 43 + "_" + "A" * 6}, "invalid_grant"),
    ],
)
async def test_a_stolen_code_is_worth_nothing_and_stays_the_clients(
    flow: Flow, browser: httpx2.AsyncClient, change: dict[str, str | None], error: str
) -> None:
    other = Flow(flow.http)
    await other.register()
    code = (await flow.grant(browser))["code"]
    sent = {
        name: other.client["client_id"] if value == "OTHER" else value
        for name, value in change.items()
    }

    refused = await flow.exchange(**{"code": code, **sent})  # type: ignore[arg-type]

    assert refused.json()["error"] == error
    assert refused.status_code == (401 if error == "invalid_client" else 400)
    assert await names_of(browser) == []
    assert (await flow.exchange(code)).status_code == 200


@pytest.mark.A99b
@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/callback",
        "http://127.0.0.1:5000/callback/../evil",
        "http://127.0.0.1:5000/callback?next=https://evil.example",
        "http://127.0.0.1:5000@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://localhost:5000/callback",
        "https://127.0.0.1:5000/callback",
        "javascript:alert(1)",
        "//evil.example",
        "",
    ],
)
async def test_a_redirect_uri_that_is_not_registered_is_never_gone_to(flow: Flow, uri: str) -> None:
    for accept in ("*/*", "text/html"):
        answer = await flow.authorize(accept, redirect_uri=uri)

        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "href" not in answer.text


async def test_a_parameter_that_is_sent_twice_is_refused(flow: Flow) -> None:
    query = f"client_id={flow.client['client_id']}&response_type=code&code_challenge={'a' * 43}"
    twice = f"{query}&redirect_uri={REDIRECT}&redirect_uri=https://evil.example/"

    asked = await flow.http.get(f"/oauth/authorize?{twice}")
    exchanged = await flow.http.post(
        "/oauth/token",
        content="grant_type=authorization_code&code=a&code=b",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert [asked.status_code, exchanged.status_code] == [400, 400]
    assert exchanged.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"redirect_uris": ["http://evil.example/callback"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://evil.example/#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [f"https://a.example/{n}" for n in range(11)]}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_client_metadata"),
        ({"redirect_uris": "https://a.example/"}, "invalid_client_metadata"),
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
    ],
)
async def test_a_client_that_may_not_be_is_not_registered(
    anonymous: httpx2.AsyncClient, store: Store, members: dict[str, Any], error: str
) -> None:
    answer = await Flow(anonymous).register(**members)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert await store.client.send("HLEN", keys.clients()) == 0


async def test_a_registration_keeps_what_is_needed_alone(
    anonymous: httpx2.AsyncClient, store: Store
) -> None:
    answer = await Flow(anonymous).register(
        client_name="  No\u202etes\n" + "x" * 100,
        scope="admin",
        logo_uri="https://evil.example/logo.png",
        jwks={"keys": ["x" * 10_000]},
        grant_types=["authorization_code", "refresh_token"],
    )

    made = answer.json()
    [record] = await store.client.send("HVALS", keys.clients())
    assert answer.headers["cache-control"] == "no-store"
    assert made["client_name"] == "No tes " + "x" * 73
    assert made["grant_types"] == ["authorization_code"]
    assert {"logo_uri", "jwks", "scope", "client_secret"}.isdisjoint(made)
    assert len(record) < 500


@pytest.mark.A99c
async def test_an_address_registers_twenty_clients_an_hour(anonymous: httpx2.AsyncClient) -> None:
    answers = await asyncio.gather(*(Flow(anonymous).register() for _ in range(30)))

    statuses = [answer.status_code for answer in answers]
    [refused, *_] = [answer for answer in answers if answer.status_code == 429]
    assert (statuses.count(201), statuses.count(429)) == (MOST_PER_HOUR, 10)
    assert refused.json()["code"] == "RATE_LIMIT_EXCEEDED"
    assert 3_500 < int(refused.headers["retry-after"]) <= 3_600


@pytest.mark.A99c
async def test_a_flood_of_requests_from_one_address_is_bounded(flow: Flow, store: Store) -> None:
    for _ in range(MOST_PER_ADDRESS):
        await flow.open()

    refused = await flow.authorize()

    assert "error=temporarily_unavailable" in refused.headers["location"]
    assert await store.client.send("HLEN", keys.requests()) == MOST_PER_ADDRESS


@pytest.mark.A99a
async def test_guessed_codes_and_secrets_count_as_failed_calls(
    flow: Flow, settings: Settings
) -> None:
    few = replace(settings, failed_calls_per_minute=5)
    async with serving(few) as gateway, httpx2.AsyncClient(base_url=gateway.url) as http:
        here = replace(flow, http=http)
        guesses = ({}, {"client_id": "no-such"})
        answers = [await here.exchange("hr_code_wrong", **guesses[n % 2]) for n in range(8)]

    assert [answer.status_code for answer in answers[:5]] == [400, 401, 400, 401, 400]
    assert answers[-1].status_code == 429


@pytest.mark.A99d
async def test_a_page_of_another_site_grants_nothing(
    flow: Flow, browser: httpx2.AsyncClient
) -> None:
    token = await flow.open()
    path, body = f"/api/grant-requests/{token}", {"granted": True, "workflows": None}

    foreign = await browser.post(path, json=body, headers={"origin": "https://evil.example"})
    form = await browser.post(path, content="granted=true", headers={"content-type": "text/plain"})
    shown = await browser.get(f"/app/connect/{token}")

    assert [foreign.json()["code"], form.json()["code"]] == ["CSRF_FAILED"] * 2
    assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["referrer-policy"] == "same-origin"
    assert (await browser.get(path)).status_code == 200


@pytest.mark.A99d
async def test_a_key_grants_no_key(flow: Flow, client: httpx2.AsyncClient) -> None:
    token = await flow.open()

    answer = await client.post(f"/api/grant-requests/{token}", json={"granted": True})

    assert (answer.status_code, answer.json()["code"]) == (403, "SESSION_REQUIRED")


@pytest.mark.A99d
async def test_the_workflows_of_others_cannot_be_granted(
    flow: Flow, browser: httpx2.AsyncClient, make_browser: MakeBrowser, stranger: Account
) -> None:
    await (await make_browser(stranger)).post("/api/workflows", json=greeting())
    token = await flow.open()
    path = f"/api/grant-requests/{token}"

    foreign = await browser.post(path, json={"granted": True, "workflows": ["greeting"]})
    unknown = await browser.post(path, json={"granted": True, "workflows": ["no-such"]})

    assert [foreign.status_code, unknown.status_code] == [400, 400]
    assert foreign.text.replace("greeting", "no-such")[:80] == unknown.text[:80]
    assert (await browser.get(path)).status_code == 200


@pytest.mark.parametrize("tier", [Tier.FREE, Tier.CREATOR])
async def test_a_tier_without_keys_grants_none(
    flow: Flow, make_browser: MakeBrowser, store: Store, tier: Tier
) -> None:
    account = await store.accounts.create(email="f@example.com", tier=tier)
    browser = await make_browser(account)
    token = await flow.open()
    path = f"/api/grant-requests/{token}"

    shown = await browser.get(path)
    granted = await browser.post(path, json={"granted": True, "workflows": None})
    refused = await browser.post(path, json={"granted": False})

    assert [shown.status_code, granted.status_code, refused.status_code] == [403, 403, 200]
    assert shown.json()["code"] == granted.json()["code"] == "API_KEY_ACCESS_DENIED"


async def test_an_account_that_is_not_approved_grants_nothing(
    flow: Flow, make_browser: MakeBrowser, store: Store
) -> None:
    account = await store.accounts.create(email="n@e.com", tier=Tier.PRO, approved=False)
    browser = await make_browser(account)
    path = f"/api/grant-requests/{await flow.open()}"

    granted = await browser.post(path, json={"granted": True, "workflows": None})

    assert (granted.status_code, granted.json()["code"]) == (403, "ACCOUNT_NOT_APPROVED")


@pytest.mark.A99d
async def test_of_two_answers_the_first_counts(
    flow: Flow, browser: httpx2.AsyncClient, make_browser: MakeBrowser, stranger: Account
) -> None:
    other = await make_browser(stranger)
    path = f"/api/grant-requests/{await flow.open()}"
    body = {"granted": True, "workflows": None}

    answers = await asyncio.gather(*(each.post(path, json=body) for each in [browser, other] * 10))

    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 19


@pytest.mark.A99a
async def test_tokens_are_at_rest_as_digests(
    flow: Flow, browser: httpx2.AsyncClient, store: Store
) -> None:
    token = await flow.connect(browser)

    for key in await store.client.send("KEYS", "*"):
        dumped = await store.client.send("DUMP", key)
        assert token.encode() not in key + (dumped or b"")
    assert tokens.digest(token) not in (await browser.get(KEYS)).text
