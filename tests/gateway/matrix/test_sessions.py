"""Sessions and admins: what each call asks beyond a key."""

from dataclasses import replace
from itertools import product

import pytest

from engine.access.capabilities import Role, Tier
from engine.settings import Settings
from engine.store import Account, Store
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.support.gateway.matrix.calls import GUARDED, PATH

SESSION_ONLY = [call for call in GUARDED if call.is_for_sessions]
FOR_ADMINS = [call for call in GUARDED if call.requirement == "session of an admin"]
ADMINS_ASK = {"email": "x@e.com", "tier": "free", "role": "admin", "credits": 5, "note": "n"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings that let more calls fail than there are ways to make one."""
    return replace(settings, failed_calls_per_minute=10_000)


@pytest.mark.A69
@pytest.mark.A79
async def test_no_key_opens_what_is_for_browsers_whatever_it_holds(
    make_client: MakeClient, store: Store, api_key: str
) -> None:
    admin = await store.accounts.create(email="r@e.com", tier=Tier.ENTERPRISE, role=Role.ADMIN)
    _, everything = await store.api_keys.create(admin, name="k", capabilities=["*"])

    for key in (api_key, everything):
        client = await make_client(key)
        for call in SESSION_ONLY:
            path = call.path.format(**PATH)
            answer = await client.request(call.method, path, json={"name": "k"})

            assert (answer.status_code, answer.json()["code"]) == (403, "SESSION_REQUIRED"), call


async def admin_of(store: Store) -> Account:
    return await store.accounts.create(email="r@e.com", tier=Tier.BUSINESS, role=Role.ADMIN)


@pytest.mark.A84
async def test_what_is_for_admins_is_refused_to_all_other_sessions(
    make_browser: MakeBrowser, store: Store
) -> None:
    admin = await admin_of(store)
    browsers = [
        await make_browser(await store.accounts.create(email="e@e.com", tier=tier)) for tier in Tier
    ]
    before = [await store.accounts.list(), await store.audit.page(limit=200)]

    for call, browser in product(FOR_ADMINS, browsers):
        path = call.path.format(**PATH | {"account_id": admin.id})
        answer = await browser.request(call.method, path, json=ADMINS_ASK)

        assert (answer.status_code, answer.json()["code"]) == (403, "CAPABILITY_DENIED"), call
        assert answer.json()["required"] == "*"
    assert [await store.accounts.list(), await store.audit.page(limit=200)] == before


@pytest.mark.A84
@pytest.mark.parametrize("role", list(Role))
async def test_a_session_may_call_every_route_of_its_role(
    make_browser: MakeBrowser, store: Store, role: Role
) -> None:
    account = await store.accounts.create(email="a@e.com", tier=Tier.BUSINESS, role=role)
    browser = await make_browser(account)
    allowed = [call for call in GUARDED if role is Role.ADMIN or call not in FOR_ADMINS]

    for call in allowed:
        if (call.method, call.path) != ("POST", "/logout"):
            path = call.path.format(**PATH)
            async with browser.stream(call.method, path, json={}) as answer:
                assert answer.status_code not in (401, 403), call


@pytest.mark.A104
async def test_an_account_that_is_not_approved_reads_all_that_its_session_may(
    make_browser: MakeBrowser, store: Store
) -> None:
    account = await store.accounts.create(
        email="n@e.com", tier=Tier.BUSINESS, role=Role.ADMIN, approved=False
    )
    browser = await make_browser(account)

    for call in GUARDED:
        if call.method == "GET":
            async with browser.stream("GET", call.path.format(**PATH)) as answer:
                assert answer.status_code not in (401, 403), call
