"""Isolation of accounts beyond ids: spellings of paths, members of bodies, names, revoked keys."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.settings import Settings
from engine.store import Account, Store
from gateway.http.listener import bind
from gateway.server import serve
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker

RUN = "/api/workflows/greeting/run"
ASK = {"inputs": {"name": "Eve"}}


@dataclass(frozen=True)
class TenancyScenario:
    """The browser of an account with a workflow, and callers of other accounts."""

    owner: httpx2.AsyncClient
    others: list[httpx2.AsyncClient]


@pytest.fixture
async def scenario(
    client: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    make_client: MakeClient,
    make_browser: MakeBrowser,
    store: Store,
    stranger: Account,
) -> TenancyScenario:
    await client.post("/api/workflows", json=greeting())
    admin = await store.accounts.create(email="r@e.com", tier=Tier.ENTERPRISE, role=Role.ADMIN)
    others = [await make_browser(stranger), await make_browser(admin)]
    for other, capability in ((stranger, "workflow:*"), (admin, "*")):
        _, secret = await store.api_keys.create(other, name="k", capabilities=[capability])
        others.append(await make_client(secret))
    return TenancyScenario(owner=browser, others=others)


@pytest.mark.A11
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


@pytest.mark.A14
@pytest.mark.A84
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


@pytest.mark.A75
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


@pytest.mark.A75
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


@pytest.mark.A05
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
