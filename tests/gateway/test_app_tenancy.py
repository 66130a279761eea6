"""Isolation of accounts: resources of another account are not found, by any caller or route."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.ids import tokens
from engine.settings import Settings
from engine.store import Account, Store
from gateway.http.listener import bind
from gateway.server import serve
from tests.gateway.auth.test_principal import GUARDED, GUARDED_PATHS, UNAUTHORIZED, Call
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker
from tests.support.media.files import png
from tests.support.triggers.records import save_hook

UNKNOWN = {
    "slug": "unknown",
    "internal_name": "unknown",
    "key_id": "key_000000000000000000000000",
    "execution_id": "00000000-0000-4000-8000-000000000000",
    "node_id": "text",
    "batch_id": "00000000-0000-4000-8000-000000000000",
    "trigger_id": "trg_000000000000",
    "occurrence_id": "00000000-0000-4000-8000-000000000000",
    "asset_id": "0" * 24,
    "delivery_id": "00000000-0000-4000-8000-000000000000",
    "version": "1",
    "secret_name": "UNKNOWN",
    "session_id": "ses_0",
    "account_id": "acc_0",
    "grant_request": "hr_grant_0",
    "alias_name": "unknown",
    "test_name": "unknown",
    "replay_id": "00000000-0000-4000-8000-000000000000",
    "test_run_id": "00000000-0000-4000-8000-000000000000",
}
OF_ALL = ("{internal_name}", "{account_id}", "{grant_request}")
"""Parts of paths of models and requests of clients, which belong to no account, and of accounts,
which admins see."""
OWN_NAME = ("PUT", "/api/secrets/{secret_name}")
"""Accounts may give their secrets the same names."""
ABOUT_ONE = [
    call
    for call in GUARDED
    if "{" in call.path
    and not any(each in call.path for each in OF_ALL)
    and (call.method, call.path) != OWN_NAME
]
STREAM = "/api/events"
"""Stream without an end; the contract's tests see that it has no events of others."""
LISTS = [
    call.path
    for call in GUARDED
    if call.method == "GET" and "{" not in call.path and call.path != STREAM
]
RUN = "/api/workflows/greeting/run"
ASK = {"inputs": {"name": "Eve"}}
MANY = {"items": [ASK]}
BATCH = "/api/workflows/{slug}/batch"
ALIAS = "/api/workflows/{slug}/aliases/{alias_name}"
TEST = "/api/workflows/{slug}/tests/{test_name}"
REPLAY = "/api/workflows/{slug}/replay"
A_REPLAY = {"last": 1, "against": 1, "calls": "recorded"}
A_TEST = {"inputs": ASK["inputs"], "expect": ["true"]}
BODIES: dict[str, object] = {
    BATCH: MANY,
    ALIAS: {"version": 1},
    TEST: A_TEST,
    REPLAY: A_REPLAY,
}
"""Bodies by path, where the body is checked before the workflow is looked for."""


@dataclass(frozen=True)
class TenancyScenario:
    """Resources of one account, and callers of other accounts."""

    objects: dict[str, str]
    owner: httpx2.AsyncClient
    others: list[httpx2.AsyncClient]


async def releases(client: httpx2.AsyncClient, ended_id: str) -> dict[str, str]:
    """Make an alias and a test of the workflow, and begin a replay and a test run."""
    await client.put(ALIAS.format(slug="greeting", alias_name="stable"), json={"version": 1})
    await client.put(TEST.format(slug="greeting", test_name="greets"), json=A_TEST)
    tested = await client.post("/api/workflows/greeting/tests/run", json={"version": 1})
    replayed = await client.post(
        REPLAY.format(slug="greeting"),
        json={"executionIds": [ended_id], "against": 1, "calls": "recorded"},
    )
    return {
        "alias_name": "stable",
        "test_name": "greets",
        "replay_id": replayed.json()["replayId"],
        "test_run_id": tested.json()["testRunId"],
    }


@pytest.fixture
async def scenario(
    client: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    make_client: MakeClient,
    make_browser: MakeBrowser,
    store: Store,
    account: Account,
    stranger: Account,
    worker: FakeWorker,
) -> TenancyScenario:
    await client.post("/api/workflows", json=greeting())
    execution = (await client.post(f"{RUN}?async=true", json=ASK)).json()
    ended = (await client.post(RUN, json=ASK)).json()
    worker.is_idle = True
    batch = (await client.post(BATCH.format(slug="greeting"), json=MANY)).json()
    key = (await browser.post("/api/api-keys", json={"name": "k", "preset": "Read-only"})).json()
    admin = await store.accounts.create(email="r@e.com", tier=Tier.ENTERPRISE, role=Role.ADMIN)
    others = [await make_browser(stranger), await make_browser(admin)]
    for other, capability in ((stranger, "workflow:*"), (admin, "*")):
        held = [capability, "webhook:receive", "execution:approve"]
        _, secret = await store.api_keys.create(other, name="k", capabilities=held)
        others.append(await make_client(secret))
    file = {"file": ("a.png", png(), "image/png")}
    asset = (await client.post("/api/assets", files=file)).json()
    await browser.put("/api/secrets/OF_THE_OWNER", json={"value": "a value"})
    trigger = await save_hook(store, account, slug="greeting")
    objects = {
        "slug": "greeting",
        "asset_id": asset["id"],
        "key_id": key["id"],
        "execution_id": execution["executionId"],
        "batch_id": batch["batchId"],
        "trigger_id": trigger.id,
        "occurrence_id": "00000000-0000-4000-8000-000000000000",
        "node_id": "text",
        "delivery_id": execution["executionId"],
        "version": "1",
        "secret_name": "OF_THE_OWNER",
        "session_id": (await browser.get("/api/sessions")).json()["rows"][0]["id"],
        **await releases(client, ended["executionId"]),
    }
    return TenancyScenario(objects=objects, owner=browser, others=others)


@pytest.mark.parametrize("call", ABOUT_ONE, ids=lambda call: f"{call.method} {call.path}")
async def test_what_is_anothers_is_as_unknown_as_what_is_not(
    scenario: TenancyScenario, call: Call
) -> None:
    body = BODIES.get(call.path, ASK)
    for other in scenario.others:
        foreign, unknown = [
            await other.request(call.method, call.path.format(**objects), json=body)
            for objects in (scenario.objects, UNKNOWN)
        ]

        assert foreign.status_code in (404, 403), call
        assert (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content)
        if foreign.status_code == 403:
            assert foreign.json()["code"] == "SESSION_REQUIRED"
            assert call.requirement == "session"


async def test_nothing_of_anothers_is_in_a_list(scenario: TenancyScenario) -> None:
    for other in scenario.others:
        for path in LISTS:
            answer = await other.get(path)
            for name, identity in scenario.objects.items():
                assert name in ("version", "node_id") or identity not in answer.text


@pytest.mark.parametrize(
    "spelling",
    ["GREETING", "greeting/", "greeting%2f", "./greeting", "%2e/greeting", "/greeting", "greeting;"]
    + ["greeting%00", "greeting%20", "greetin%67", "x/../greeting", "greeting?slug=greeting"],
)
async def test_another_spelling_of_a_path_is_no_way_around(
    scenario: TenancyScenario, spelling: str
) -> None:
    for other in scenario.others:
        for end in ("", "/schema", "/run"):
            path = f"/api/workflows/{spelling}{end}"
            answer = await other.request("POST" if end == "/run" else "GET", path, json=ASK)

            assert answer.status_code in (400, 401, 403, 404, 405), path
            assert "Hello" not in answer.text


async def test_what_is_the_servers_to_say_is_not_taken_from_a_body(
    scenario: TenancyScenario, store: Store, account: Account, stranger: Account
) -> None:
    forged = {
        "account": stranger.id,
        "accountId": stranger.id,
        "createdBy": stranger.id,
        "userId": stranger.id,
        "id": "mine",
        "owner": stranger.id,
        "slug": "mine",
        "role": "admin",
        "tier": "enterprise",
        "approved": True,
        "balance": 1_000_000,
        "credits": {"balance": 1_000_000},
        "status": "completed",
        "price": 0,
        "version": 99,
    }
    before = await store.accounts.list()

    saved = await scenario.owner.put("/api/workflows/greeting", json={**forged, "name": "New"})
    made = await scenario.owner.post("/api/workflows", json={**greeting("Second"), **forged})
    ran = await scenario.owner.post(f"{RUN}?async=true", json={**forged, **ASK})

    assert (saved.json()["slug"], saved.json()["version"]) == ("greeting", 1)
    assert (made.json()["slug"], made.json()["version"]) == ("second", 1)
    assert saved.json()["createdBy"] == made.json()["createdBy"] == account.id
    execution = await store.executions.get(account.id, ran.json()["executionId"])
    assert execution.status == "processing"
    assert await store.accounts.list() == before
    assert await store.workflow_list.own(stranger.id) == []


@pytest.mark.parametrize("path", GUARDED_PATHS)
async def test_a_cookie_that_is_no_session_opens_no_path(
    make_client: MakeClient, path: str
) -> None:
    client = await make_client()
    unknown = tokens.make_token("hr_session_", 5)
    client.headers["origin"] = str(client.base_url).rstrip("/")
    client.headers["cookie"] = f"headrace_session={unknown}"

    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        answer = await client.request(method, path.format(**UNKNOWN))

        assert (answer.status_code, answer.content) == (401, UNAUTHORIZED)


@pytest.mark.parametrize(
    "name", ["Run", "Schema", "-", "---", "日本", "x" * 200, "con", "..", "API"]
)
async def test_any_name_gives_a_slug_that_can_be_used(
    client: httpx2.AsyncClient, name: str
) -> None:
    saved = await asyncio.gather(
        *(client.post("/api/workflows", json=greeting(name)) for _ in range(3))
    )

    slugs = [answer.json()["slug"] for answer in saved]
    assert [answer.status_code for answer in saved] == [201] * 3
    assert len(set(slugs)) == 3
    for slug in slugs:
        assert 0 < len(slug) <= 64
        assert (await client.get(f"/api/workflows/{slug}")).json()["name"] == name
        assert (await client.get(f"/api/workflows/{slug}/schema")).status_code == 200


@pytest.mark.parametrize("name", ["x" * 300, "", None, 5])
async def test_a_name_that_cannot_be_one_makes_nothing(
    client: httpx2.AsyncClient, name: object
) -> None:
    answer = await client.post("/api/workflows", json={**greeting(), "name": name})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["field"] == "name"
    assert (await client.get("/api/workflows")).json() == []


@pytest.fixture
async def second_gateway(settings: Settings) -> AsyncIterator[str]:
    bound, stopping = bind("127.0.0.1", 0), asyncio.Event()
    bound.listen()
    ended = asyncio.create_task(serve(settings, stopping=stopping, bound=bound))
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    stopping.set()
    await ended


async def test_a_revoked_key_fails_on_every_gateway_while_its_run_goes_on(
    browser: httpx2.AsyncClient, make_client: MakeClient, worker: FakeWorker, second_gateway: str
) -> None:
    worker.is_idle = True
    wish = {"name": "k", "preset": "Full deploy"}
    key = (await browser.post("/api/api-keys", json=wish)).json()
    client = await make_client(key["key"])
    await client.post("/api/workflows", json=greeting())
    assert (await client.get(f"{second_gateway}/api/whoami")).status_code == 200
    waiting = asyncio.create_task(client.post(RUN, json=ASK))

    async def runs() -> bool:
        return bool((await browser.get("/api/executions")).json()["rows"])

    await eventually(runs)

    await browser.delete(f"/api/api-keys/{key['id']}")
    here, there = await client.get("/api/whoami"), await client.get(f"{second_gateway}/api/whoami")
    worker.is_idle = False
    answer = await waiting

    assert (here.status_code, there.status_code) == (401, 401)
    assert (answer.status_code, answer.json()["result"]) == (200, {"text": "Eve"})


async def test_signing_out_holds_on_every_gateway(
    browser: httpx2.AsyncClient, make_client: MakeClient, second_gateway: str
) -> None:
    token = browser.cookies["headrace_session"]
    client = await make_client()
    client.headers["cookie"] = f"headrace_session={token}"
    before = await client.get(f"{second_gateway}/api/me")

    await browser.post("/logout")

    after = await client.get(f"{second_gateway}/api/me")
    assert (before.status_code, after.status_code) == (200, 401)
