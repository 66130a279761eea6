"""Browsers: sign-in links, the rights of a session, and defences against other sites."""

import hashlib
import re
from base64 import b64encode
from dataclasses import replace
from html import unescape
from http.cookies import Morsel, SimpleCookie
from urllib.parse import urlencode

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.ids import tokens
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.accounts.sessions import RENEWED_BELOW_MS
from engine.store.redis import keyspace
from tests.gateway.conftest import MakeBrowser, MakeClient, serving
from tests.support.gateway.documents import greeting

UNAUTHORIZED = b'{"error":"Unauthorized"}'
TYPED_ADDRESS = {
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-site": "none",
}


def cookie_of(answer: httpx2.Response) -> Morsel[str]:
    return SimpleCookie(answer.headers["set-cookie"])["headrace_session"]


async def login_url(store: Store, account: Account) -> str:
    return f"/login?token={await store.sessions.create_login(account.id)}"


async def test_a_link_that_is_opened_by_hand_signs_in_at_once(
    make_client: MakeClient, store: Store, account: Account
) -> None:
    client = await make_client()

    answer = await client.get(await login_url(store, account), headers=TYPED_ADDRESS)

    cookie = cookie_of(answer)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert (cookie["secure"], cookie["domain"], cookie["max-age"]) == ("", "", "2592000")
    assert (await client.get("/api/whoami")).json()["user"]["id"] == account.id


@pytest.mark.parametrize("agent", ["curl/8.5.0", "python-httpx/0.28", "Playwright/1.50 node/22"])
async def test_a_link_that_a_script_opens_signs_it_in(
    make_client: MakeClient, store: Store, account: Account, agent: str
) -> None:
    client = await make_client()

    answer = await client.get(await login_url(store, account), headers={"user-agent": agent})

    assert answer.status_code == 303
    assert (await client.get("/api/me")).json()["user"]["id"] == account.id


async def test_a_link_that_a_page_led_to_asks_first(
    make_client: MakeClient, store: Store, account: Account
) -> None:
    client, url = await make_client(), await login_url(store, account)

    page = await client.get(url, headers={**TYPED_ADDRESS, "sec-fetch-site": "cross-site"})
    signed_in = await client.post(url)

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "set-cookie" not in page.headers
    assert f'action="{url}"' in page.text
    assert signed_in.status_code == 303
    assert (await client.get("/api/whoami")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"user-agent": ""},
        {"user-agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"user-agent": "facebookexternalhit/1.1"},
        {"user-agent": "WhatsApp/2.23"},
        {"user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"},
        {**TYPED_ADDRESS, "sec-purpose": "prefetch"},
        {**TYPED_ADDRESS, "sec-fetch-dest": "iframe"},
    ],
)
async def test_previews_do_not_use_a_link_up(
    make_client: MakeClient, store: Store, account: Account, headers: dict[str, str]
) -> None:
    client, url = await make_client(), await login_url(store, account)

    for method in ("GET", "HEAD", "GET"):
        answer = await client.request(method, url, headers=headers)
        assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
    await client.head(url, headers=TYPED_ADDRESS)

    assert (await client.post(url)).status_code == 303


async def test_a_used_link_says_so_and_helps(
    make_client: MakeClient, store: Store, account: Account
) -> None:
    client, url = await make_client(), await login_url(store, account)
    await client.post(url)

    answers = [await client.get(url), await client.get(url, headers=TYPED_ADDRESS)]
    answers += [await client.post(url), await client.post("/login")]
    answers += [await client.get("/login", params={"token": ""})]
    answers += [await client.get("/login", params={"token": "<script>"})]

    for answer in answers:
        assert answer.status_code == 410
        assert "headrace login-link --account ID" in answer.text
        assert "<script>" not in answer.text
        assert "set-cookie" not in answer.headers


async def test_the_page_keeps_the_link_to_itself(
    make_client: MakeClient, store: Store, account: Account
) -> None:
    client, url = await make_client(), await login_url(store, account)

    preview = {"user-agent": "preview"}

    for answer in (await client.get(url, headers=preview), await client.post(url)):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy


async def test_the_page_has_its_style_by_hash(make_client: MakeClient) -> None:
    page = await (await make_client()).get("/login")

    [style] = re.findall("<style>(.*?)</style>", page.text, re.DOTALL)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.headers["content-security-policy"]
    assert "style=" not in page.text


async def test_another_site_cannot_sign_a_browser_in(
    make_client: MakeClient, store: Store, account: Account
) -> None:
    client, url = await make_client(), await login_url(store, account)

    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = await client.post(url, headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (403, "CSRF_FAILED")
    assert (await client.post(url)).status_code == 303


async def test_a_session_dies_with_its_account(
    browser: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    assert (await browser.get("/api/whoami")).status_code == 200

    await store.client.send("HDEL", keyspace.accounts(partition_of(account.id)), account.id)

    answer = await browser.get("/api/whoami")
    assert (answer.status_code, answer.content) == (401, UNAUTHORIZED)


async def test_a_session_in_use_gets_its_cookie_again_once_a_day(
    browser: httpx2.AsyncClient, store: Store
) -> None:
    token = browser.cookies["headrace_session"]
    digest = tokens.digest(token)
    key = keyspace.session(tokens.partition_of(digest), digest)
    await store.client.send("PEXPIRE", key, RENEWED_BELOW_MS - 1_000)

    first, second = await browser.get("/api/workflows/none"), await browser.get("/api/whoami")

    assert (cookie_of(first).value, cookie_of(first)["max-age"]) == (token, "2592000")
    assert "set-cookie" not in second.headers


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    return replace(settings, public_url=getattr(request, "param", ""))


@pytest.mark.parametrize("settings", ["https://Flows.example.org/"], indirect=True)
async def test_behind_a_proxy_the_public_origin_is_our_own(
    make_client: MakeClient, store: Store, account: Account
) -> None:
    browser = await make_client()
    token = await store.sessions.redeem(await store.sessions.create_login(account.id))
    browser.headers["cookie"] = f"headrace_session={token}"  # a cookie jar keeps it for HTTPS
    public = {"origin": "https://flows.example.org"}
    for origin in ("https://flows.example.org.evil.example", "http://flows.example.org"):
        answer = await browser.post("/api/workflows", json=greeting(), headers={"origin": origin})
        assert answer.status_code == 403

    written = await browser.post("/api/workflows", json=greeting(), headers=public)
    signed_in = await browser.post(await login_url(store, account), headers=public)

    assert written.status_code == 201
    assert cookie_of(signed_in)["secure"] is True


async def test_neither_links_nor_cookies_are_logged(
    browser: httpx2.AsyncClient,
    store: Store,
    account: Account,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(0)
    url, token = await login_url(store, account), browser.cookies["headrace_session"]
    preview = {"user-agent": "preview"}
    answers = [await browser.get(url, headers=preview), await browser.post(url)]
    answers += [
        await browser.post(url),
        await browser.get("/api/me"),
        await browser.post("/logout", content=b"x"),
    ]

    lines = [record for record in caplog.records if not record.name.startswith("http")]
    observed = repr([vars(record) for record in lines])
    observed += "".join(answer.text for answer in answers[1:])

    for secret in (url.partition("=")[2], token, browser.cookies["headrace_session"]):
        assert secret[-45:] not in observed


async def test_beside_a_key_a_cookie_does_not_count(
    browser: httpx2.AsyncClient, store: Store, stranger: Account
) -> None:
    key, secret = await store.api_keys.create(stranger, name="k", capabilities=["workflow:read"])

    who = await browser.get("/api/whoami", headers={"x-api-key": secret})
    write = await browser.post("/api/workflows", json=greeting(), headers={"x-api-key": secret})
    await store.api_keys.revoke(key.id)
    revoked = await browser.get("/api/whoami", headers={"x-api-key": secret})

    assert who.json()["user"]["id"] == stranger.id
    assert (write.status_code, write.json()["code"]) == (403, "CAPABILITY_DENIED")
    assert (revoked.status_code, revoked.content) == (401, UNAUTHORIZED)


@pytest.mark.parametrize("forgery", ["", "x", "{login}", "{unknown}", "{token}x", '"{token}"'])
async def test_a_cookie_that_is_no_session_is_nothing(
    browser: httpx2.AsyncClient, store: Store, account: Account, forgery: str
) -> None:
    token = browser.cookies["headrace_session"]
    browser.cookies.clear()
    login = await store.sessions.create_login(account.id)
    unknown = tokens.make_token("hr_session_", 3)
    value = forgery.format(token=token, login=login, unknown=unknown)

    for cookie in (f"headrace_session={value}", f"headrace_session={token}; headrace_session=x"):
        answer = await browser.get("/api/whoami", headers={"cookie": cookie})
        assert (answer.status_code, answer.content) == (401, UNAUTHORIZED)


# -- where a sign-in leads -------------------------------------------------------------------------

PATHS = ("/", "/app/editor/greeting", "/app/runs?status=failed&q=%2F%2Fx#first", "/a%20b", "/a:b@c")


@pytest.mark.parametrize("target", PATHS)
async def test_a_sign_in_leads_to_a_path_of_this_host(
    make_client: MakeClient, store: Store, account: Account, target: str
) -> None:
    client = await make_client()
    url = f"{await login_url(store, account)}&{urlencode({'next': target})}"

    asked = await client.get(url, headers={"user-agent": "preview"})
    [action] = re.findall('action="([^"]*)"', asked.text)
    pressed = await client.post(unescape(action))
    by_hand = await client.get(
        f"{await login_url(store, account)}&{urlencode({'next': target})}", headers=TYPED_ADDRESS
    )

    assert (pressed.status_code, pressed.headers["location"]) == (303, target)
    assert (by_hand.status_code, by_hand.headers["location"]) == (303, target)


FOREIGN_TARGETS = (
    *(
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
    ),
    *("https://evil.example", "HTTPS:evil.example", "javascript:alert(1)", "data:text/html,x"),
    *("/%2Fevil.example", "/%2f%2fevil.example", "/%5Cevil.example", "/%255Cevil.example"),
    *("/%09/evil.example", "/%0d%0aset-cookie:x", "/\r\nset-cookie: x", "/a//evil.example"),
    *("/%2e%2e//evil.example", "evil.example", "", " /", "/é", "/\u3002evil", "@evil.example"),
    *("/login", "/login?token=another", "/%6Cogin?token=another", "/" + "a" * 2_048, "?next=/"),
    *("/x/../login?token=another", "/./login?token=another", "/app/../login", "/app/..", "/."),
    *("/%2e/login", "/%2E%2e/login", "/x/.%2e/login", "/x/%252e%252e/login", "/%2e%2fx/../login"),
    *("/app/..%2flogin", "/login/", "/login/?token=another", "/%6cogin/.", "/x\\..\\login"),
)


@pytest.mark.parametrize("target", FOREIGN_TARGETS)
async def test_a_sign_in_leads_nowhere_else(
    make_client: MakeClient, store: Store, account: Account, target: str
) -> None:
    client = await make_client()
    url = f"{await login_url(store, account)}&{urlencode({'next': target})}"

    asked = await client.get(url, headers={"user-agent": "preview"})
    answer = await client.post(url)

    assert "next=" not in asked.text
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert answer.headers.get_list("set-cookie") == [answer.headers["set-cookie"]]


async def test_without_a_link_a_browser_is_told_how_to_sign_in_or_led_on(
    make_client: MakeClient, browser: httpx2.AsyncClient
) -> None:
    visitor = await make_client()

    unknown = await visitor.get("/login", params={"next": "/app/models"})
    known = await browser.get("/login", params={"next": "/app/models"})
    foreign = await browser.get("/login", params={"next": "//evil.example"})

    assert unknown.status_code == 200
    assert "headrace login-link --account ID" in unknown.text
    assert (known.status_code, known.headers["location"]) == (303, "/app/models")
    assert foreign.headers["location"] == "/"


# -- the list of sessions --------------------------------------------------------------------------


async def test_an_account_sees_the_browsers_that_are_signed_in(
    make_client: MakeClient, store: Store, account: Account, browser: httpx2.AsyncClient
) -> None:
    other = await make_client()
    agent = {"user-agent": "Another/1.0 " + "x" * 300}
    await other.post(await login_url(store, account), headers=agent)
    token = other.cookies["headrace_session"]

    answer = await browser.get("/api/sessions")

    rows = answer.json()["rows"]
    assert answer.status_code == 200
    assert answer.json()["nextCursor"] is None
    assert [list(row) for row in rows] == [
        ["id", "createdAt", "lastUsedAt", "userAgent", "address", "current"]
    ] * 2
    assert [row["current"] for row in rows] == [False, True]
    assert rows[0]["userAgent"] == agent["user-agent"][:256]
    assert {row["address"] for row in rows} == {"127.0.0.1"}
    assert len({row["id"] for row in rows}) == 2
    for secret in (token, tokens.digest(token)):
        assert secret[-20:] not in answer.text


async def test_a_session_is_ended_by_its_id_on_every_gateway(
    make_client: MakeClient,
    store: Store,
    account: Account,
    browser: httpx2.AsyncClient,
    settings: Settings,
) -> None:
    other = await make_client()
    await other.post(await login_url(store, account))
    [row] = [
        row for row in (await browser.get("/api/sessions")).json()["rows"] if not row["current"]
    ]
    async with serving(settings) as second:
        headers = {"cookie": f"headrace_session={other.cookies['headrace_session']}"}
        before = [await other.get("/api/me"), await other.get(f"{second.url}/api/me")]
        ended = await browser.delete(f"/api/sessions/{row['id']}")
        after = [
            await other.get("/api/me"),
            await other.get(f"{second.url}/api/me", headers=headers),
        ]
        again = await browser.delete(f"/api/sessions/{row['id']}")

    assert [each.status_code for each in before] == [200, 200]
    assert (ended.status_code, ended.json()) == (200, {"success": True})
    assert [each.status_code for each in after] == [401, 401]
    assert (again.status_code, again.json()["code"]) == (404, "NOT_FOUND")
    [left] = (await browser.get("/api/sessions")).json()["rows"]
    assert left["current"] is True


async def test_an_account_that_is_not_approved_ends_its_sessions(
    make_browser: MakeBrowser, store: Store
) -> None:
    account = await store.accounts.create(email="n@e.com", tier=Tier.PRO, approved=False)
    browser = await make_browser(account)
    [row] = (await browser.get("/api/sessions")).json()["rows"]

    answer = await browser.delete(f"/api/sessions/{row['id']}")

    assert answer.status_code == 200
    assert (await browser.get("/api/me")).status_code == 401


async def test_sessions_come_in_pages(
    browser: httpx2.AsyncClient, make_browser: MakeBrowser, account: Account
) -> None:
    for _ in range(2):
        await make_browser(account)

    found: list[str] = []
    query = {"limit": "1"}
    for _ in range(3):
        page = (await browser.get("/api/sessions", params=query)).json()
        found += [row["id"] for row in page["rows"]]
        query["cursor"] = page["nextCursor"]
    wrong = await browser.get("/api/sessions", params={"cursor": "nonsense"})

    assert len(set(found)) == 3
    assert page["nextCursor"] is None
    assert (wrong.status_code, wrong.json()["code"]) == (400, "INVALID_QUERY")
