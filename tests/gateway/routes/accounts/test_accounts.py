"""Accounts in the browsers of admins; every act is in the audit log."""

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.settings import Settings
from engine.store import Account, Store
from tests.gateway.conftest import MakeBrowser, MakeClient, serving
from tests.support.gateway.documents import greeting

ACCOUNTS = "/api/admin/accounts"


@pytest.fixture
async def admin(store: Store) -> Account:
    return await store.accounts.create(
        email="root@example.com", tier=Tier.ENTERPRISE, role=Role.ADMIN
    )


@pytest.fixture
async def admins(make_browser: MakeBrowser, admin: Account) -> httpx2.AsyncClient:
    return await make_browser(admin)


async def test_a_change_counts_on_the_very_next_request_on_each_gateway(
    admins: httpx2.AsyncClient,
    make_browser: MakeBrowser,
    make_client: MakeClient,
    store: Store,
    settings: Settings,
) -> None:
    account = await store.accounts.create(email="n@e.com", tier=Tier.BUSINESS, approved=False)
    browser = await make_browser(account)
    _, secret = await store.api_keys.create(account, name="k", capabilities=["model:run"])
    client = await make_client(secret)
    path = f"{ACCOUNTS}/{account.id}"
    model = "/api/models/no-such/run"
    async with serving(settings) as second:
        for url in ("", second.url):
            own = browser.headers["origin"]
            headers = {"origin": url or own}
            cookie = f"headrace_session={browser.cookies['headrace_session']}"
            headers["cookie"] = cookie

            unapproved = await browser.post(
                f"{url}/api/workflows", json=greeting(), headers=headers
            )
            await admins.patch(path, json={"approved": True, "tier": "business", "role": "user"})
            approved = await browser.post(f"{url}/api/workflows", json=greeting(), headers=headers)
            high = await client.post(f"{url}{model}", json={"inputs": {}})
            user = await browser.get(f"{url}{ACCOUNTS}", headers=headers)
            await admins.patch(path, json={"tier": "pro", "role": "admin"})
            ruling = await browser.get(f"{url}{ACCOUNTS}", headers=headers)
            await admins.patch(path, json={"role": "user"})
            low = await client.post(f"{url}{model}", json={"inputs": {}})
            await admins.patch(path, json={"approved": False})

            assert (unapproved.status_code, approved.status_code) == (403, 201)
            assert (high.status_code, low.status_code) == (404, 403)
            assert low.json()["code"] == "CAPABILITY_ABOVE_CEILING"
            assert (user.status_code, ruling.status_code) == (403, 200)
