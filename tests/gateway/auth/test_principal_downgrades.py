"""Capabilities granted under a higher tier, over HTTP: the ceiling is checked at each use."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.models.registry import use_models
from engine.settings import Settings
from engine.store import Account, Store
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.support.manifests import model
from workers.main import worker as real_worker

RUN = "/api/models/own/run"
ASK = {"inputs": {"prompt": "Eve"}}


@pytest.fixture
def account_tier() -> Tier:
    return Tier.BUSINESS


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    with use_models([model("own"), model("other")]):
        yield


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[None]:
    async with real_worker(settings):
        yield


async def made(browser: httpx2.AsyncClient, *capabilities: str) -> httpx2.Response:
    body = {"name": "k", "capabilities": list(capabilities)}
    return await browser.post("/api/api-keys", json=body)


@pytest.mark.A73
@pytest.mark.parametrize("capability", ["model:*", "model:run", "model:own:run", "agent:invoke"])
async def test_pro_cannot_make_a_key_for_what_business_may(
    make_browser: MakeBrowser, store: Store, account: Account, capability: str
) -> None:
    browser = await make_browser(account)
    before = await made(browser, capability)
    await store.accounts.set_tier(account.id, Tier.PRO)

    after = await made(browser, "workflow:read", capability)

    assert before.status_code == 201
    assert (after.status_code, after.json()["code"]) == (403, "CAPABILITY_ABOVE_CEILING")
    assert after.json()["attempted"] == capability
    assert len((await browser.get("/api/api-keys")).json()) == 1


@pytest.mark.A73
@pytest.mark.parametrize("capability", ["model:*", "model:run", "model:own:run"])
async def test_a_key_for_models_is_worth_nothing_after_the_downgrade_and_again_after_the_upgrade(
    make_browser: MakeBrowser,
    make_client: MakeClient,
    store: Store,
    account: Account,
    worker: None,
    capability: str,
) -> None:
    browser = await make_browser(account)
    client = await make_client((await made(browser, capability, "agent:invoke")).json()["key"])
    statuses, codes = [], []
    for tier in (Tier.BUSINESS, Tier.PRO, Tier.BUSINESS):
        await store.accounts.set_tier(account.id, tier)
        for path in (RUN, f"{RUN}?async=true"):
            answer = await client.post(path, json=ASK)
            statuses.append(answer.status_code)
            codes.append(answer.json().get("code"))

    assert statuses == [200, 202, 403, 403, 200, 202]
    assert codes[2:4] == ["CAPABILITY_ABOVE_CEILING"] * 2
    executions = (await browser.get("/api/executions")).json()["rows"]
    assert len(executions) == 4


async def test_what_pro_may_goes_on_with_the_same_key(
    make_browser: MakeBrowser, make_client: MakeClient, store: Store, account: Account
) -> None:
    browser = await make_browser(account)
    answer = await made(browser, "model:*", "agent:invoke", "workflow:read")
    client = await make_client(answer.json()["key"])
    await store.accounts.set_tier(account.id, Tier.PRO)

    answers = [await client.get(path) for path in ("/api/whoami", "/api/workflows", "/api/models")]
    run = await client.post(RUN, json=ASK)

    assert [each.status_code for each in answers] == [200, 200, 200]
    assert run.json()["code"] == "CAPABILITY_ABOVE_CEILING"


@pytest.mark.A73
async def test_without_any_tier_for_keys_every_use_is_refused(
    make_browser: MakeBrowser, make_client: MakeClient, store: Store, account: Account
) -> None:
    browser = await make_browser(account)
    client = await make_client((await made(browser, "model:*")).json()["key"])
    await store.accounts.set_tier(account.id, Tier.CREATOR)

    answers = [await client.post(RUN, json=ASK), await client.get("/api/whoami")]

    assert {each.json()["code"] for each in answers} == {"API_KEY_ACCESS_DENIED"}
