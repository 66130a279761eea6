"""Pages of listed origins may call the API with a key, and never with a cookie."""

from dataclasses import replace

import httpx2
import pytest

from engine.settings import SettingError, Settings
from gateway.auth.cors import parse_origins
from tests.gateway.conftest import Gateway, MakeClient, serving
from tests.support.gateway.documents import greeting

LISTED, OTHER = "https://app.example.org", "https://evil.example"
ALLOW = "access-control-allow-origin"
PREFLIGHT = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "x-api-key",
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, cors_origins=f"{LISTED}, http://localhost:5173")


def cors_headers(answer: httpx2.Response) -> set[str]:
    return {name for name in answer.headers if name.startswith("access-control")}


async def test_a_page_of_a_listed_origin_asks_first_and_may_send_a_key(
    make_client: MakeClient,
) -> None:
    anybody = await make_client()

    answer = await anybody.options(
        "/api/workflows/greeting/run", headers={"origin": LISTED, **PREFLIGHT}
    )

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers[ALLOW] == LISTED
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "x-api-key" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers


async def test_answers_and_errors_to_a_listed_origin_can_be_read(
    client: httpx2.AsyncClient, make_client: MakeClient
) -> None:
    from_page = {"origin": LISTED}
    saved = await client.post("/api/workflows", json=greeting(), headers=from_page)
    refused = await (await make_client()).get("/api/workflows", headers=from_page)

    assert (saved.status_code, refused.status_code) == (201, 401)
    for answer in (saved, refused):
        assert answer.headers[ALLOW] == LISTED
        assert "x-request-id" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers.get_list("vary")
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.A69
@pytest.mark.parametrize("origin", [OTHER, "null", f"{LISTED}.evil.example", f"{LISTED}:8443"])
async def test_no_other_origin_is_told_anything(client: httpx2.AsyncClient, origin: str) -> None:
    read = await client.get("/api/workflows", headers={"origin": origin})
    payload = await client.options("/api/workflows", headers={"origin": origin, **PREFLIGHT})

    assert not cors_headers(read) | cors_headers(payload)
    assert payload.status_code == 405


@pytest.mark.A69
async def test_a_cookie_that_comes_from_another_origin_is_not_read(
    browser: httpx2.AsyncClient,
) -> None:
    own = await browser.get("/api/me")
    foreign = await browser.get("/api/me", headers={"origin": LISTED})

    assert (own.status_code, foreign.status_code) == (200, 401)


@pytest.mark.A69
async def test_pages_are_not_for_other_origins(browser: httpx2.AsyncClient) -> None:
    for path in ("/", "/docs", "/login", "/healthz"):
        assert not cors_headers(await browser.get(path, headers={"origin": LISTED})), path


async def test_our_own_pages_keep_their_sessions_though_all_origins_are_listed(
    settings: Settings, browser: httpx2.AsyncClient, gateway: Gateway
) -> None:
    async with serving(replace(settings, cors_origins="*")) as open_to_all:
        cookies = dict(browser.cookies)
        async with httpx2.AsyncClient(
            base_url=open_to_all.url, cookies=cookies, timeout=30
        ) as page:
            write = {"json": {"name": "n", "preset": "Read-only"}}
            own = await page.post("/api/api-keys", headers={"origin": open_to_all.url}, **write)
            foreign = await page.post("/api/api-keys", headers={"origin": OTHER}, **write)

    assert own.status_code == 201
    assert (foreign.status_code, foreign.headers[ALLOW]) == (401, "*")


@pytest.mark.parametrize("setting", ["example.org", "https://a.b/", "https://*.a.b", "ftp://a.b"])
def test_what_is_no_origin_is_refused_at_the_start(setting: str) -> None:
    with pytest.raises(SettingError, match="HEADRACE_CORS_ORIGINS"):
        parse_origins(setting)
