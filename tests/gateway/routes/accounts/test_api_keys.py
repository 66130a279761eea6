"""API keys in the browsers of their owners."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import PRESETS, Role, Tier
from engine.store import Account, Store
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.support.gateway.documents import greeting

KEYS = "/api/api-keys"
SHOWN = ["id", "name", "prefix", "last4", "capabilities", "createdAt", "expiresAt"]


async def test_a_key_is_shown_once_and_works(
    browser: httpx2.AsyncClient, make_client: MakeClient, account: Account
) -> None:
    wish = {"name": "laptop", "preset": "Workflow Deploy"}

    answer = await browser.post(KEYS, json=wish)

    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert list(made) == ["id", "name", "key", *SHOWN[2:]]
    assert made["capabilities"] == ["workflow:read", "workflow:run"]
    assert (made["prefix"], made["last4"]) == (made["key"][:12], made["key"][-4:])
    who = await (await make_client(made["key"])).get("/api/whoami")
    assert who.json()["user"]["id"] == account.id


async def test_keys_are_listed_without_their_secrets(
    browser: httpx2.AsyncClient, make_client: MakeClient
) -> None:
    used = (await browser.post(KEYS, json={"name": "used", "preset": "Read-only"})).json()
    unused = (await browser.post(KEYS, json={"name": "unused", "preset": "Read-only"})).json()
    await (await make_client(used["key"])).get("/api/whoami")

    answer = await browser.get(KEYS)

    rows = {row["name"]: row for row in answer.json()}
    assert [list(row) for row in answer.json()] == [[*SHOWN, "lastUsedAt", "webhook"]] * 2
    assert rows["unused"]["lastUsedAt"] is None
    assert rows["used"]["lastUsedAt"] >= rows["used"]["createdAt"]
    for made in (used, unused):
        secret = made.pop("key")
        assert made.items() <= rows[made["name"]].items()
        assert secret[8:] not in answer.text


@pytest.mark.parametrize("preset", [*PRESETS, "Custom"])
async def test_a_key_holds_what_its_preset_says(browser: httpx2.AsyncClient, preset: str) -> None:
    custom = ["workflow:mine:run", "webhook:receive", "workflow:mine:run"]
    wish: dict[str, Any] = {"name": "k", "preset": preset}

    answer = await browser.post(
        KEYS, json=wish | ({"capabilities": custom} if preset == "Custom" else {})
    )

    expected = sorted(set(custom)) if preset == "Custom" else sorted(PRESETS[preset])
    assert (answer.status_code, answer.json()["capabilities"]) == (201, expected)


async def test_a_deleted_key_fails_on_the_next_request(
    browser: httpx2.AsyncClient, make_client: MakeClient
) -> None:
    made = (await browser.post(KEYS, json={"name": "k", "preset": "Read-only"})).json()
    client = await make_client(made["key"])
    before = await client.get("/api/workflows")

    deleted = await browser.delete(f"{KEYS}/{made['id']}")

    after = await client.get("/api/workflows")
    assert (deleted.status_code, deleted.json()) == (200, {"success": True})
    assert (before.status_code, after.status_code) == (200, 401)
    assert (await browser.get(KEYS)).json() == []
    assert (await browser.delete(f"{KEYS}/{made['id']}")).status_code == 404


async def test_a_key_of_another_account_is_not_there(
    browser: httpx2.AsyncClient, make_browser: MakeBrowser, stranger: Account
) -> None:
    other = await make_browser(stranger)
    made = (await browser.post(KEYS, json={"name": "k", "preset": "Read-only"})).json()

    foreign = await other.delete(f"{KEYS}/{made['id']}")
    unknown = await other.delete(f"{KEYS}/key_000000000000000000000000")

    assert (foreign.status_code, foreign.json()["code"]) == (404, "NOT_FOUND")
    assert foreign.content == unknown.content
    assert (await other.get(KEYS)).json() == []
    assert len((await browser.get(KEYS)).json()) == 1


BAD_CAPABILITIES = (
    "workflow:*:run",
    "workflow::run",
    "WORKFLOW:run",
    "workflow:run ",
    " workflow:run",
    "workflow:run\n",
    "workflow:run\x00",
    "workflow:../x:run",
    "workflow:A:run",
    "workflow:*:*",
    "workflow:run,workflow:read",
    "workflow:run:*",
    "workflow:**",
    "*:*",
    "**",
    "",
    "workflow",
    "workflow:fly",
    "workflow:mine:write",
    "workflow:" + "a" * 65 + ":run",
    "workflow:rün",
    "wоrkflow:run",
    "ｗorkflow:run",
    "workflow:run\u200b",
    "x" * 10_240,
)


@pytest.mark.parametrize("capability", BAD_CAPABILITIES, ids=range(len(BAD_CAPABILITIES)))
async def test_what_is_no_capability_makes_no_key(
    browser: httpx2.AsyncClient, capability: str
) -> None:
    wish = {"name": "k", "capabilities": ["workflow:read", capability]}

    answer = await browser.post(KEYS, json=wish)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_CAPABILITY")
    assert len(answer.content) < 500
    assert (await browser.get(KEYS)).json() == []


async def test_a_set_is_kept_once_each_and_in_order(browser: httpx2.AsyncClient) -> None:
    wished = ["workflow:run", "workflow:mine:run", "workflow:run", "workflow:*", "workflow:run"]

    made = await browser.post(KEYS, json={"name": "k", "capabilities": wished})

    [listed] = (await browser.get(KEYS)).json()
    assert made.json()["capabilities"] == listed["capabilities"] == sorted(set(wished))


@pytest.mark.parametrize(
    ("tier", "attempted"),
    [
        (Tier.PRO, "model:run"),
        (Tier.PRO, "model:*"),
        (Tier.PRO, "model:flux:run"),
        (Tier.PRO, "agent:invoke"),
        (Tier.PRO, "*"),
        (Tier.BUSINESS, "*"),
        (Tier.ENTERPRISE, "*"),
    ],
)
async def test_a_capability_above_the_ceiling_is_named(
    make_browser: MakeBrowser, store: Store, tier: Tier, attempted: str
) -> None:
    browser = await make_browser(await store.accounts.create(email="e@e.com", tier=tier))
    wish = {"name": "k", "capabilities": ["workflow:read", attempted]}

    answer = await browser.post(KEYS, json=wish)

    assert (answer.status_code, answer.json()["code"]) == (403, "CAPABILITY_ABOVE_CEILING")
    assert answer.json()["attempted"] == attempted
    assert (await browser.get(KEYS)).json() == []


@pytest.mark.parametrize("tier", [Tier.FREE, Tier.CREATOR])
async def test_a_tier_without_keys_makes_none(
    make_browser: MakeBrowser, store: Store, tier: Tier
) -> None:
    browser = await make_browser(await store.accounts.create(email="e@e.com", tier=tier))

    answer = await browser.post(KEYS, json={"name": "k", "preset": "Read-only"})

    assert (answer.status_code, answer.json()["code"]) == (403, "API_KEY_ACCESS_DENIED")
    assert (await browser.get(KEYS)).json() == []


async def test_keys_from_better_days_can_be_seen_and_deleted(
    browser: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    made = (await browser.post(KEYS, json={"name": "k", "preset": "Read-only"})).json()
    await store.accounts.set_tier(account.id, Tier.FREE)

    assert [row["id"] for row in (await browser.get(KEYS)).json()] == [made["id"]]
    assert (await browser.delete(f"{KEYS}/{made['id']}")).status_code == 200


BAD_BODIES: dict[str, tuple[Any, str | None]] = {
    "a list": ([], None),
    "nothing": ({}, "name"),
    "no name": ({"preset": "Read-only"}, "name"),
    "a blank name": ({"name": " ", "preset": "Read-only"}, "name"),
    "a name of a separator": ({"name": "\x1f", "preset": "Read-only"}, "name"),
    "a long name with blanks": ({"name": "x" * 100 + " ", "preset": "Read-only"}, "name"),
    "a long name": ({"name": "x" * 101, "preset": "Read-only"}, "name"),
    "a number for a name": ({"name": 5, "preset": "Read-only"}, "name"),
    "no capabilities": ({"name": "k"}, "capabilities"),
    "an empty set": ({"name": "k", "capabilities": []}, "capabilities"),
    "a text for a set": ({"name": "k", "capabilities": "workflow:run"}, "capabilities"),
    "a number in a set": ({"name": "k", "capabilities": [1]}, "capabilities"),
    "an endless set": ({"name": "k", "capabilities": ["workflow:run"] * 501}, "capabilities"),
    "an unknown preset": ({"name": "k", "preset": "Root"}, "preset"),
    "a list for a preset": ({"name": "k", "preset": ["Read-only"]}, "preset"),
    "both": ({"name": "k", "preset": "Read-only", "capabilities": ["*"]}, "capabilities"),
    "custom without a set": ({"name": "k", "preset": "Custom"}, "capabilities"),
}


@pytest.mark.parametrize("name", sorted(BAD_BODIES))
async def test_a_wish_that_is_wrong_is_refused_by_name(
    browser: httpx2.AsyncClient, name: str
) -> None:
    body, field = BAD_BODIES[name]

    answer = await browser.post(KEYS, json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json().get("field") == field
    assert (await browser.get(KEYS)).json() == []


async def test_the_owner_and_the_account_are_the_servers_to_say(
    browser: httpx2.AsyncClient, store: Store, account: Account, stranger: Account
) -> None:
    forged = {
        "accountId": stranger.id,
        "account_id": stranger.id,
        "owner": stranger.id,
        "id": "key_mine",
        "prefix": "hr_live_mine",
        "last4": "mine",
        "key": "hr_live_mine",
        "createdAt": "2000-01-01T00:00:00.000Z",
        "role": "admin",
        "tier": "enterprise",
    }

    made = (await browser.post(KEYS, json={**forged, "name": "k", "preset": "Read-only"})).json()

    assert not set(forged.values()) & {str(value) for value in made.values()}
    assert await store.api_keys.list(stranger.id) == []
    assert await store.accounts.get(account.id) == account


async def test_everything_is_for_admins_who_are_named_in_the_log(
    make_browser: MakeBrowser, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    admin = await store.accounts.create(email="r@e.com", tier=Tier.FREE, role=Role.ADMIN)
    browser = await make_browser(admin)

    made = (await browser.post(KEYS, json={"name": "root", "capabilities": ["*"]})).json()

    [record] = [each for each in caplog.records if each.getMessage() == "API key created"]
    assert made["capabilities"] == ["*"]
    assert record.__dict__.items() >= {
        ("account_id", admin.id),
        ("role", "admin"),
        ("key_id", made["id"]),
    }
    assert made["key"][8:] not in caplog.text


@pytest.mark.parametrize("capability", ["workflow:*", "*"])
async def test_a_key_makes_no_keys_whatever_it_holds(
    make_client: MakeClient, store: Store, capability: str
) -> None:
    admin = await store.accounts.create(email="r@e.com", tier=Tier.ENTERPRISE, role=Role.ADMIN)
    key, secret = await store.api_keys.create(admin, name="k", capabilities=[capability])
    client = await make_client(secret)
    wish = {"name": "k", "preset": "Read-only"}

    answers = [
        await client.get("/api/me"),
        await client.get(KEYS),
        await client.post(KEYS, json=wish),
        await client.delete(f"{KEYS}/{key.id}"),
        await client.post("/logout"),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (403, "SESSION_REQUIRED")
    assert await store.api_keys.list(admin.id) == [key]


async def test_me_shows_the_account(browser: httpx2.AsyncClient, account: Account) -> None:
    me = await browser.get("/api/me")

    assert me.status_code == 200
    assert me.json()["user"] == (await browser.get("/api/whoami")).json()["user"]


async def test_a_tier_that_sinks_takes_what_its_keys_may_do_at_once(
    make_browser: MakeBrowser, make_client: MakeClient, store: Store
) -> None:
    account = await store.accounts.create(email="e@e.com", tier=Tier.BUSINESS)
    browser = await make_browser(account)
    wish = {"name": "k", "capabilities": ["workflow:read", "workflow:write", "model:run"]}
    client = await make_client((await browser.post(KEYS, json=wish)).json()["key"])
    await client.post("/api/workflows", json=greeting())

    await store.accounts.set_tier(account.id, Tier.FREE)
    sunk = await client.get("/api/workflows")
    await store.accounts.set_tier(account.id, Tier.PRO)
    risen = await client.get("/api/workflows")

    assert (sunk.status_code, sunk.json()["code"]) == (403, "API_KEY_ACCESS_DENIED")
    assert risen.status_code == 200


# -- changes ---------------------------------------------------------------------------------------

LATER = "2100-01-31T12:00:00+01:00"


async def test_a_key_is_renamed(browser: httpx2.AsyncClient) -> None:
    made = (await browser.post(KEYS, json={"name": "k", "preset": "Read-only"})).json()

    answer = await browser.patch(f"{KEYS}/{made['id']}", json={"name": "  website "})

    assert answer.status_code == 200
    assert answer.json() == (await browser.get(KEYS)).json()[0]
    assert answer.json()["name"] == "website"
    assert made["key"][8:] not in answer.text


async def test_an_expiry_is_set_and_removed(
    browser: httpx2.AsyncClient, make_client: MakeClient
) -> None:
    made = (
        await browser.post(KEYS, json={"name": "k", "preset": "Read-only", "expiresAt": LATER})
    ).json()
    client = await make_client(made["key"])

    removed = await browser.patch(f"{KEYS}/{made['id']}", json={"expiresAt": None})
    unchanged = await browser.patch(f"{KEYS}/{made['id']}", json={})

    assert made["expiresAt"] == "2100-01-31T11:00:00.000Z"
    assert removed.json()["expiresAt"] is None
    assert unchanged.json() == removed.json()
    assert (await client.get("/api/whoami")).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *(({"name": name}, "name") for name in ("", " ", "x" * 101, None, 1, [])),
        *(({"expiresAt": at}, "expiresAt") for at in ("2001-01-01T00:00:00Z", "soon", 1, "", [])),
        ({"expiresAt": "2100-01-31T12:00:00"}, "expiresAt"),
    ],
    ids=str,
)
async def test_a_change_that_cannot_be_is_refused(
    browser: httpx2.AsyncClient, body: dict[str, Any], field: str
) -> None:
    made = (await browser.post(KEYS, json={"name": "k", "preset": "Read-only"})).json()
    before = (await browser.get(KEYS)).json()

    answer = await browser.patch(f"{KEYS}/{made['id']}", json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["field"] == field
    assert (await browser.get(KEYS)).json() == before


async def test_a_list_of_keys_shows_their_webhooks(
    browser: httpx2.AsyncClient, store: Store
) -> None:
    for name in ("one", "two"):
        await browser.post(KEYS, json={"name": name, "preset": "Run with webhooks"})
    one = (await browser.get(KEYS)).json()[0]
    hook = {"url": "https://example.com/hook", "enabled": False}
    await browser.put(f"{KEYS}/{one['id']}/webhook", json={**hook, "secret": "s" * 16})

    rows = (await browser.get(KEYS)).json()

    assert [row["webhook"] for row in rows] == [hook, None]


@pytest.mark.parametrize("before", [0, 2], ids=["unknown", "assumed"])
async def test_an_expired_key_starts_no_run(
    browser: httpx2.AsyncClient,
    make_client: MakeClient,
    store: Store,
    account: Account,
    before: int,
) -> None:
    await browser.post("/api/workflows", json=greeting())
    soon = datetime.now(UTC) + timedelta(seconds=4)
    wish = {"name": "k", "preset": "Workflow Deploy", "expiresAt": soon.isoformat()}
    client = await make_client((await browser.post(KEYS, json=wish)).json()["key"])
    path = "/api/workflows/greeting/run?async=true"
    ask = {"inputs": {"name": "Eve"}}
    for _ in range(before):
        assert (await client.post(path, json=ask)).status_code == 202

    while datetime.now(UTC) < soon:
        await asyncio.sleep(0.02)
    answer = await client.post(path, json=ask)

    assert (answer.status_code, answer.content) == (401, b'{"error":"Unauthorized"}')
    rows = (await browser.get("/api/executions")).json()["rows"]
    assert len(rows) == before
