"""Accounts in the browsers of admins; every act is in the audit log."""

from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.settings import Settings
from engine.store import Account, Store
from tests.gateway.conftest import Gateway, MakeBrowser, MakeClient, serving
from tests.support.gateway.documents import greeting

ACCOUNTS = "/api/admin/accounts"
SHOWN = ["id", "email", "role", "tier", "approved", "credits", "createdAt"]


@pytest.fixture
async def admin(store: Store) -> Account:
    return await store.accounts.create(
        email="root@example.com", tier=Tier.ENTERPRISE, role=Role.ADMIN
    )


@pytest.fixture
async def admins(make_browser: MakeBrowser, admin: Account) -> httpx2.AsyncClient:
    return await make_browser(admin)


async def newest(browser: httpx2.AsyncClient) -> dict[str, Any]:
    row: dict[str, Any] = (await browser.get("/api/admin/audit")).json()["rows"][0]
    return row


async def test_an_account_is_created_and_listed(admins: httpx2.AsyncClient, admin: Account) -> None:
    wish = {"email": "new@example.com", "tier": "pro", "approved": False}

    answer = await admins.post(ACCOUNTS, json=wish)

    made = answer.json()
    assert answer.status_code == 201
    assert list(made) == SHOWN
    assert made | wish == made
    assert (made["role"], made["credits"]) == ("user", {"balance": 5_000})
    rows = (await admins.get(ACCOUNTS)).json()["rows"]
    assert rows[0] == made
    assert {row["id"] for row in rows} >= {made["id"], admin.id}
    entry = await newest(admins)
    assert list(entry) == ["id", "at", "by", "action", "subject", "before", "after"]
    assert (entry["by"], entry["action"], entry["subject"]) == (
        *(admin.id, "account.create"),
        made["id"],
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *(({"email": each, "tier": "pro"}, "email") for each in ("", "a", "a b@c", None, 1)),
        ({"tier": "pro"}, "email"),
        ({"email": "a@b", "tier": "gold"}, "tier"),
        ({"email": "a@b"}, "tier"),
        ({"email": "a@b", "tier": "pro", "role": "root"}, "role"),
        ({"email": "a@b", "tier": "pro", "approved": "yes"}, "approved"),
    ],
    ids=str,
)
async def test_an_account_that_cannot_be_is_refused(
    admins: httpx2.AsyncClient, store: Store, body: dict[str, Any], field: str
) -> None:
    before = await store.accounts.list()

    answer = await admins.post(ACCOUNTS, json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["field"] == field
    assert await store.accounts.list() == before


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


async def test_a_change_is_answered_and_recorded(
    admins: httpx2.AsyncClient, admin: Account, account: Account
) -> None:
    changes = {"approved": False, "tier": "business", "role": "admin"}

    answer = await admins.patch(f"{ACCOUNTS}/{account.id}", json=changes)
    again = await admins.patch(f"{ACCOUNTS}/{account.id}", json=changes)
    nothing = await admins.patch(f"{ACCOUNTS}/{account.id}", json={})

    assert answer.status_code == 200
    assert answer.json() | changes == answer.json() == again.json() == nothing.json()
    entry = await newest(admins)
    assert (entry["by"], entry["subject"]) == (admin.id, account.id)
    assert entry["before"] == {"approved": True, "tier": "pro", "role": "user"}
    assert entry["after"] == changes


@pytest.mark.parametrize("name", ["approved", "tier", "role"])
@pytest.mark.parametrize("value", [None, 1, "golden", []], ids=str)
async def test_a_change_that_cannot_be_is_refused(
    admins: httpx2.AsyncClient, account: Account, store: Store, name: str, value: Any
) -> None:
    answer = await admins.patch(f"{ACCOUNTS}/{account.id}", json={name: value})

    assert (answer.status_code, answer.json()["field"]) == (400, name)
    assert await store.accounts.get(account.id) == account


async def test_the_last_admin_cannot_lose_the_role(
    admins: httpx2.AsyncClient, admin: Account, account: Account
) -> None:
    path = f"{ACCOUNTS}/{admin.id}"

    alone = await admins.patch(path, json={"role": "user"})
    await admins.patch(f"{ACCOUNTS}/{account.id}", json={"role": "admin"})
    with_another = await admins.patch(path, json={"role": "user"})

    assert (alone.status_code, alone.json()["code"]) == (409, "LAST_ADMIN")
    assert (with_another.status_code, with_another.json()["role"]) == (200, "user")
    assert (await admins.get(ACCOUNTS)).status_code == 403


async def test_credits_are_added_with_a_note(
    admins: httpx2.AsyncClient, admin: Account, account: Account, browser: httpx2.AsyncClient
) -> None:
    later = "2100-01-31T12:00:00.000Z"
    wish = {"credits": 70, "expiresAt": later, "note": "for May"}
    before = (await browser.get("/api/me")).json()["credits"]["balance"]

    answer = await admins.post(f"{ACCOUNTS}/{account.id}/credit", json=wish)

    after = (await browser.get("/api/me")).json()["credits"]
    assert answer.status_code == 200
    assert answer.json()["credits"]["balance"] == after["balance"] == before + 70
    assert after["topUps"] == [{"credits": 70, "expiresAt": later}]
    entry = await newest(admins)
    assert (entry["by"], entry["action"], entry["subject"]) == (
        *(admin.id, "account.credit"),
        account.id,
    )
    assert entry["before"] == {"balance": before}
    assert entry["after"] == {"balance": before + 70, **wish}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        *(({"credits": each}, "credits") for each in (0, -5, 1.5, "5", None, 2**53)),
        ({"credits": 2**53 - 1}, "credits"),
        *(({"note": each}, "note") for each in (None, "", "x" * 201, 5)),
        *(({"expiresAt": each}, "expiresAt") for each in ("2001-01-01T00:00:00Z", "soon", 5)),
    ],
    ids=str,
)
async def test_credits_that_cannot_be_are_refused(
    admins: httpx2.AsyncClient, account: Account, changes: dict[str, Any], field: str
) -> None:
    await admins.post(f"{ACCOUNTS}/{account.id}/credit", json={"credits": 5, "note": "first"})
    entry = await newest(admins)
    wish = {"credits": 70, "note": "for May"} | changes

    answer = await admins.post(f"{ACCOUNTS}/{account.id}/credit", json=wish)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["field"] == field
    assert await newest(admins) == entry


async def test_a_login_link_signs_a_browser_in_to_the_account(
    admins: httpx2.AsyncClient,
    admin: Account,
    account: Account,
    make_client: MakeClient,
    gateway: Gateway,
) -> None:
    visitor = await make_client()

    answer = await admins.post(f"{ACCOUNTS}/{account.id}/login-link")

    made = answer.json()
    assert answer.status_code == 201
    assert list(made) == ["url", "accountId", "expiresAt"]
    assert made["url"].startswith(f"{gateway.url}/login?token=")
    assert answer.headers["cache-control"] == "no-store"
    entry = await newest(admins)
    assert (entry["by"], entry["action"], entry["subject"]) == (
        *(admin.id, "account.login-link"),
        account.id,
    )
    assert made["url"][-30:] not in (await admins.get("/api/admin/audit")).text
    await visitor.post(made["url"])
    assert (await visitor.get("/api/me")).json()["user"]["id"] == account.id


async def test_an_account_that_is_not_there_is_not_found(admins: httpx2.AsyncClient) -> None:
    path = f"{ACCOUNTS}/acc_nobody"

    answers = [
        await admins.patch(path, json={"approved": True}),
        await admins.post(f"{path}/credit", json={"credits": 5, "note": "n"}),
        await admins.post(f"{path}/login-link"),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (404, "ACCOUNT_NOT_FOUND")


async def test_accounts_come_in_pages_and_by_their_address(
    admins: httpx2.AsyncClient, store: Store
) -> None:
    for number in range(3):
        await store.accounts.create(email=f"user{number}@example.org", tier=Tier.PRO)

    found: list[str] = []
    query = {"limit": "2", "q": "EXAMPLE.org"}
    first = (await admins.get(ACCOUNTS, params=query)).json()
    rest = (await admins.get(ACCOUNTS, params=query | {"cursor": first["nextCursor"]})).json()
    found = [row["email"] for row in (*first["rows"], *rest["rows"])]
    refused = [
        await admins.get(ACCOUNTS, params=each)
        for each in ({"limit": "201"}, {"limit": "0"}, {"cursor": "nonsense"})
    ]

    assert sorted(found) == [f"user{number}@example.org" for number in range(3)]
    assert rest["nextCursor"] is None
    assert [(each.status_code, each.json()["code"]) for each in refused] == [
        (400, "INVALID_QUERY")
    ] * 3
