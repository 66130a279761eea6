"""Rules that hold for every route, checked over the list of routes."""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.executions.batches import BatchKind
from engine.executions.execution import Execution
from engine.executions.replays import ReplayCalls
from engine.ids.triggers import new_occurrence_id
from engine.services.replays.replay_facts import EXECUTION, ReplayFacts
from engine.settings import Settings
from engine.store import (
    Account,
    Asset,
    Batch,
    Draft,
    NewBatch,
    NewItem,
    NewRecord,
    Store,
    Webhook,
    Workflow,
)
from engine.triggers.occurrences import Occurrence, OccurrenceStatus
from engine.triggers.trigger import Trigger
from engine.webhooks.deliveries import Delivery
from tests.gateway.auth.test_principal import GUARDED, GUARDED_PATHS, PATH
from tests.gateway.conftest import Gateway, MakeBrowser, MakeClient
from tests.support.gateway.documents import greeting
from tests.support.media.files import png
from tests.support.oauth.grants import REQUEST
from tests.support.triggers.records import save_hook

WRITES = [call for call in GUARDED if call.method != "GET"]
SESSION_ONLY = [call for call in GUARDED if call.requirement.startswith("session")]
FOR_ADMINS = [call for call in GUARDED if call.requirement == "session of an admin"]
ADMINS_ASK = {"email": "x@e.com", "tier": "free", "role": "admin", "credits": 5, "note": "n"}
ASK = {"inputs": {"name": "Eve"}, "items": [{"inputs": {"name": "Eve"}}]}
HOOK = "http://hooks.example.com/in"
FOREIGN: dict[str, dict[str, str | None]] = {
    "no word of where from": {"origin": None},
    "another site": {"origin": "https://evil.example"},
    "a sandbox": {"origin": "null"},
    "an empty origin": {"origin": ""},
    "another port": {"origin": "http://127.0.0.1:1"},
    "a host that begins alike": {"origin": "{own}.evil.example"},
    "a path behind": {"origin": "{own}/"},
    "another scheme": {"origin": "ftp{own}"},
    "another site, as the browser says": {"origin": None, "sec-fetch-site": "cross-site"},
    "a sister site": {"origin": None, "sec-fetch-site": "same-site"},
    "two that disagree": {"sec-fetch-site": "cross-site"},
}
FORMS = {
    "a form": "application/x-www-form-urlencoded",
    "a text": "text/plain",
    "JSON as text": "text/plain; application/json",
    "nothing": None,
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings that let more calls fail than there are ways to make one."""
    return replace(settings, failed_calls_per_minute=10_000)


@pytest.mark.A69
async def test_no_write_is_done_for_another_site(
    browser: httpx2.AsyncClient, gateway: Gateway
) -> None:
    own = browser.headers.pop("origin")

    for (name, reply), call in product(FOREIGN.items(), WRITES):
        headers = {
            each: value.format(own=own)
            for each, value in ({"origin": own} | reply).items()
            if value is not None
        }
        answer = await browser.request(
            call.method, call.path.format(**PATH), json={}, headers=headers
        )

        assert (answer.status_code, answer.json()["code"]) == (403, "CSRF_FAILED"), (name, call)
        assert not any(each.startswith("access-control") for each in answer.headers)


@pytest.mark.A69
async def test_no_write_is_done_for_a_plain_form(browser: httpx2.AsyncClient) -> None:
    for kind, call in product(FORMS.values(), WRITES):
        headers = {} if kind is None else {"content-type": kind}
        answer = await browser.request(
            call.method, call.path.format(**PATH), content=b'{"name":"x"}', headers=headers
        )

        assert (answer.status_code, answer.json()["code"]) == (403, "CSRF_FAILED"), (kind, call)


@pytest.mark.A69
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


# -- caches ---------------------------------------------------------------------------------------


async def test_no_cache_stores_an_answer_for_a_key_or_a_session(
    owner: "Owner", browser: httpx2.AsyncClient, client: httpx2.AsyncClient, store: Store
) -> None:
    reads_first = sorted(GUARDED, key=lambda call: call.method != "GET")
    asked = {"grant_request": await store.grant_requests.open(REQUEST, "192.0.2.7")}

    for call, caller in product(reads_first, (browser, client)):
        path = call.path.format(**PATH | owner.ids | asked)
        async with caller.stream(call.method, path) as answer:
            found = answer.headers.get_list("cache-control")

        assert found == ["no-store"], call
        if call.method == "GET" and caller is browser and call.requirement != "session of an admin":
            assert answer.status_code == 200, call


async def test_no_cache_stores_a_refusal(make_client: MakeClient) -> None:
    nobody = await make_client()

    for call in GUARDED:
        answer = await nobody.request(call.method, call.path.format(**PATH))

        assert answer.status_code == 401, call
        assert answer.headers.get_list("cache-control") == ["no-store"], call


async def test_no_cache_stores_that_a_method_is_not_allowed(client: httpx2.AsyncClient) -> None:
    for path in GUARDED_PATHS:
        answer = await client.request("PROPFIND", path.format(**PATH))

        assert answer.status_code == 405, path
        assert answer.headers.get_list("cache-control") == ["no-store"], path


# -- resources of others ---------------------------------------------------------------------------


@dataclass(frozen=True)
class OwnedResources:
    """All resources of an account that others might try to change."""

    workflow: Workflow
    draft: Draft
    asset: Asset
    execution: Execution
    batch: Batch
    replay: Batch | None
    trigger: Trigger
    keys: list[Any]
    webhook: Webhook
    deliveries: list[Delivery]


class Owner:
    """An account with one resource of each kind."""

    def __init__(self, store: Store, account: Account, ids: dict[str, str]) -> None:
        self._store = store
        self._account = account
        self.ids = ids

    async def resources(self) -> OwnedResources:
        """Return the current resources."""
        store, account_id, ids = self._store, self._account.id, self.ids
        rows, _ = await store.deliveries.list(account_id, ids["key_id"], limit=10)
        return OwnedResources(
            workflow=await store.workflows.get(ids["slug"]),
            draft=await store.drafts.get(account_id, ids["slug"]),
            asset=await store.assets.get(account_id, ids["asset_id"]),
            execution=await store.executions.get(account_id, ids["execution_id"]),
            batch=await store.batches.get(account_id, ids["batch_id"]),
            replay=await store.batches.find(account_id, ids["replay_id"]),
            trigger=await store.triggers.get(account_id, ids["trigger_id"]),
            keys=await store.api_keys.list(account_id),
            webhook=await store.webhooks.get(account_id, ids["key_id"]),
            deliveries=rows,
        )


@pytest.fixture
async def owner(client: httpx2.AsyncClient, store: Store, account: Account) -> Owner:
    await client.post("/api/workflows", json=greeting())
    run = await client.post("/api/workflows/greeting/run?async=true", json=ASK)
    batch = await client.post("/api/workflows/greeting/batch", json=ASK)
    capabilities = ["workflow:run", "webhook:receive"]
    key, _ = await store.api_keys.create(account, name="k", capabilities=capabilities)
    webhook = await store.webhooks.save(account.id, key.id, url=HOOK)
    delivery = await store.deliveries.add_test(account.id, key.id, webhook)
    await client.put("/api/workflows/greeting/draft", json=greeting())
    file = {"file": ("a.png", png(), "image/png")}
    asset = await client.post("/api/assets", files=file)
    trigger = await save_hook(store, account, slug="greeting")
    occurrence = Occurrence(
        id=new_occurrence_id(), trigger_id=trigger.id, at=1, status=OccurrenceStatus.FAILED
    )
    await store.occurrences.record_event(account.id, NewRecord(occurrence))
    replay = NewBatch(
        account_id=account.id,
        slug="greeting",
        version=1,
        items=[NewItem({EXECUTION: run.json()["executionId"]})],
        kind=BatchKind.REPLAY,
        facts=ReplayFacts(against="1", calls=ReplayCalls.RECORDED).fields,
    )
    await store.batches.add(replay)
    await client.put("/api/workflows/greeting", json=greeting())
    canary = {"version": 1, "canary": {"version": 2, "percent": 5}}
    await client.put("/api/workflows/greeting/aliases/prod", json=canary)
    test = {"inputs": {"name": "Eve"}, "expect": ["cost == 0.0"]}
    await client.put("/api/workflows/greeting/tests/first", json=test)
    test_run = await client.post("/api/workflows/greeting/tests/run", json={"version": 1})
    ids = {
        "slug": "greeting",
        "alias_name": "prod",
        "test_name": "first",
        "test_run_id": test_run.json()["testRunId"],
        "version": "1",
        "asset_id": asset.json()["id"],
        "node_id": "text",
        "execution_id": run.json()["executionId"],
        "batch_id": batch.json()["batchId"],
        "replay_id": replay.batch_id,
        "trigger_id": trigger.id,
        "occurrence_id": occurrence.id,
    }
    return Owner(store, account, ids | {"key_id": key.id, "delivery_id": delivery.id})


async def test_nothing_of_anothers_is_changed_by_any_write(
    owner: Owner,
    make_browser: MakeBrowser,
    make_client: MakeClient,
    store: Store,
    stranger: Account,
) -> None:
    admin = await store.accounts.create(email="r@e.com", tier=Tier.ENTERPRISE, role=Role.ADMIN)
    others = [await make_browser(stranger), await make_browser(admin)]
    for account, capability in ((stranger, "workflow:*"), (admin, "*")):
        _, secret = await store.api_keys.create(account, name="k", capabilities=[capability])
        others.append(await make_client(secret))
    before = await owner.resources()
    body = {"name": "Mine", "isTemplate": True, "url": "http://evil.example.com/", **ASK}
    body |= {"against": 1, "last": 1}

    about_one = [call for call in WRITES if any(f"{{{name}}}" in call.path for name in owner.ids)]

    for call in about_one:
        for other in others:
            answer = await other.request(call.method, call.path.format(**owner.ids), json=body)
            assert answer.status_code in (403, 404), call

    assert await owner.resources() == before


async def test_an_id_has_one_spelling(
    owner: Owner, client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient
) -> None:
    own = owner.ids["execution_id"]
    others = (own.upper(), own.title(), f"{{{own}}}", f"urn:uuid:{own}", own.replace("-", ""))

    for spelling, each in product(others, (client, strangers_client)):
        path = f"/api/executions/{spelling}"
        for answer in (await each.get(path), await each.post(f"{path}/cancel")):
            assert (answer.status_code, answer.json()["code"]) == (404, "EXECUTION_NOT_FOUND")


async def test_what_is_the_servers_to_say_of_a_webhook_is_not_taken_from_a_body(
    owner: Owner, browser: httpx2.AsyncClient, stranger: Account
) -> None:
    before = await owner.resources()
    forged = {
        "id": "mine",
        "keyId": "mine",
        "accountId": stranger.id,
        "createdAt": "2001-01-01T00:00:00.000Z",
        "createdBy": stranger.id,
        "disabledReason": "because",
        "failing": 1,
        "oldSecret": "x" * 32,
        "made_secret": "x" * 32,
    }

    answer = await browser.put(
        f"/api/api-keys/{owner.ids['key_id']}/webhook", json={"url": HOOK, **forged}
    )

    assert answer.status_code == 200
    assert set(answer.json()) == {"url", "enabled", "createdAt"}
    assert await owner.resources() == before


async def test_ids_cannot_be_guessed(
    client: httpx2.AsyncClient, browser: httpx2.AsyncClient, store: Store
) -> None:
    await client.post("/api/workflows", json=greeting())
    runs = [
        (await client.post("/api/workflows/greeting/run?async=true", json=ASK)).json()
        for _ in range(20)
    ]
    keys = [
        (await browser.post("/api/api-keys", json={"name": "k", "preset": "Read-only"})).json()
        for _ in range(20)
    ]
    accounts = [
        await store.accounts.create(email="a@example.com", tier=Tier.FREE) for _ in range(20)
    ]

    for ids in (
        [run["executionId"].replace("-", "") for run in runs],
        [key["id"].removeprefix("key_") for key in keys],
        [account.id.removeprefix("acc_") for account in accounts],
    ):
        assert all(len(bytes.fromhex(each)) >= 16 for each in ids)
        assert len({each[:8] for each in ids}) == len({each[-8:] for each in ids}) == 20
