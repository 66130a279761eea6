"""The first page, signed out and signed in."""

import httpx2

from engine.store import Account, Store
from tests.gateway.conftest import MakeClient
from tests.support.gateway.documents import greeting


async def test_a_stranger_is_told_what_this_is_and_how_to_sign_in(make_client: MakeClient) -> None:
    answer = await (await make_client()).get("/")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "headrace login-link" in answer.text
    assert 'href="/docs"' in answer.text


async def test_an_account_sees_itself_its_balance_and_where_its_workflows_answer(
    browser: httpx2.AsyncClient, client: httpx2.AsyncClient, account: Account
) -> None:
    await client.post("/api/workflows", json=greeting("<b>Hello</b>"))

    page = (await browser.get("/")).text

    assert f"{account.email}, pro, 5000 credits left" in page
    assert "&lt;b&gt;Hello&lt;/b&gt;" in page
    assert "<code>POST /api/workflows/b-hello-b/run</code>" in page


async def test_a_new_account_is_told_how_to_begin(browser: httpx2.AsyncClient) -> None:
    assert "POST /api/workflows" in (await browser.get("/")).text


async def test_a_session_that_has_ended_is_a_strangers(
    browser: httpx2.AsyncClient, account: Account
) -> None:
    await browser.post("/logout", json={})

    assert account.email not in (await browser.get("/")).text


async def test_a_key_does_not_sign_in_to_pages(
    make_client: MakeClient, api_key: str, account: Account, store: Store
) -> None:
    client = await make_client(api_key)

    assert account.email not in (await client.get("/")).text
