"""Rules that hold for every route, checked over the list of routes."""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Tier
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
from tests.gateway.conftest import Gateway, MakeClient
from tests.support.gateway.documents import greeting
from tests.support.gateway.matrix.calls import GUARDED, GUARDED_PATHS, PATH
from tests.support.media.files import png
from tests.support.oauth.grants import REQUEST
from tests.support.triggers.records import save_hook

WRITES = [call for call in GUARDED if call.method != "GET"]
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


# -- caches ---------------------------------------------------------------------------------------


@pytest.mark.A105
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


@pytest.mark.A105
async def test_no_cache_stores_a_refusal(make_client: MakeClient) -> None:
    nobody = await make_client()

    for call in GUARDED:
        answer = await nobody.request(call.method, call.path.format(**PATH))

        assert answer.status_code == 401, call
        assert answer.headers.get_list("cache-control") == ["no-store"], call


@pytest.mark.A105
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


@pytest.mark.A11
async def test_an_id_has_one_spelling(
    owner: Owner, client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient
) -> None:
    own = owner.ids["execution_id"]
    others = (own.upper(), own.title(), f"{{{own}}}", f"urn:uuid:{own}", own.replace("-", ""))

    for spelling, each in product(others, (client, strangers_client)):
        path = f"/api/executions/{spelling}"
        for answer in (await each.get(path), await each.post(f"{path}/cancel")):
            assert (answer.status_code, answer.json()["code"]) == (404, "EXECUTION_NOT_FOUND")


@pytest.mark.A14
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


@pytest.mark.A19
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
