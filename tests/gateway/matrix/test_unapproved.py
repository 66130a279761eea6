"""An account that is not approved can read but not write, for every route."""

from dataclasses import replace

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.accounts.accounts import pack_account
from engine.store.redis import keyspace
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.support.gateway.documents import greeting
from tests.support.gateway.matrix.calls import GUARDED, PATH, Call
from tests.support.media.files import png
from tests.support.store.redis_contents import contents

WRITES = [call for call in GUARDED if call.method != "GET"]
ALLOWED = {
    ("POST", "/logout"),
    ("DELETE", "/api/sessions/{session_id}"),
    ("POST", "/api/executions/{execution_id}/cancel"),
    ("POST", "/api/executions/cancel"),
    ("POST", "/api/batches/{batch_id}/cancel"),
    ("POST", "/api/replays/{replay_id}/cancel"),
    ("POST", "/api/test-runs/{test_run_id}/cancel"),
    ("POST", "/api/workflows/check"),
    ("POST", "/api/triggers/preview"),
    ("POST", "/api/grant-requests/{grant_request}"),
}
"""Signing browsers out, stopping runs that began before an approval was withdrawn, checks and
previews, which save nothing, and refusing a client (granting one is refused)."""
REFUSED = [call for call in WRITES if (call.method, call.path) not in ALLOWED]
PASSING = (
    ":windows",
    ":key_uses",
    ":session_record:",
    ":sessions",
    ":metrics",
    ":gateways",
    ":pass:",
)
"""Parts of the names of keys that reads change too, and that expire."""
BODY = {**greeting("Other"), "preset": "Read-only", "url": "https://example.com/", "manifest": ""}


@pytest.fixture
async def unapproved(store: Store) -> Account:
    return await store.accounts.create(
        email="new@example.com", tier=Tier.BUSINESS, role=Role.ADMIN, approved=False
    )


async def kept(store: Store) -> dict[bytes, object]:
    found = await contents(store.client)
    return {
        key: value
        for key, value in found.items()
        if not any(part in key.decode() for part in PASSING)
    }


def check(answer: httpx2.Response, call: Call) -> None:
    assert answer.status_code == 403, call
    assert answer.json()["code"] == "ACCOUNT_NOT_APPROVED", call


@pytest.mark.A104
async def test_no_write_is_done_for_an_account_that_is_not_approved(
    make_browser: MakeBrowser, make_client: MakeClient, store: Store, unapproved: Account
) -> None:
    _, secret = await store.api_keys.create(unapproved, name="k", capabilities=["*"])
    browser, client = await make_browser(unapproved), await make_client(secret)
    before = await kept(store)

    for call in REFUSED:
        path = call.path.format(**PATH)
        check(await browser.request(call.method, path, json=BODY), call)
        if not call.requirement.startswith("session"):
            check(await client.request(call.method, path, json=BODY), call)
    file = {"file": ("a.png", png(), "image/png")}
    assert (await client.post("/api/assets", files=file)).status_code == 403

    assert {(call.method, call.path) for call in WRITES} >= ALLOWED
    assert await kept(store) == before


@pytest.mark.A104
async def test_it_reads_and_signs_out(
    make_browser: MakeBrowser, store: Store, unapproved: Account
) -> None:
    browser = await make_browser(unapproved)

    for path in ("/api/me", "/api/workflows", "/api/executions", "/api/api-keys", "/api/models"):
        assert (await browser.get(path)).status_code == 200, path
    assert (await browser.post("/logout", json={})).status_code == 200
    assert (await browser.get("/api/me")).status_code == 401


@pytest.mark.A104
async def test_whose_approval_is_withdrawn_stops_its_runs_and_begins_none(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    await client.post("/api/workflows", json=greeting())
    run = "/api/workflows/greeting/run?async=true"
    begun = (await client.post(run, json={"inputs": {"name": "Eve"}})).json()["executionId"]
    accounts = keyspace.accounts(partition_of(account.id))
    withdrawn = pack_account(replace(account, approved=False))
    await store.client.send("HSET", accounts, account.id, withdrawn)

    cancel = await client.post(f"/api/executions/{begun}/cancel")
    again = await client.post(run, json={"inputs": {"name": "Eve"}})

    assert cancel.status_code == 202
    assert (again.status_code, again.json()["code"]) == (403, "ACCOUNT_NOT_APPROVED")
