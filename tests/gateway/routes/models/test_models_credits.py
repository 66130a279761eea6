"""Costs of model runs over HTTP, and their refusal beyond the balance."""

import asyncio

import httpx2

from engine.access.capabilities import Role, Tier
from engine.models.registry import use_models
from engine.store import Account, Store
from tests.gateway.conftest import MakeBrowser
from tests.support.gateway.model_calls import ASK, RUN, credits_left, two_calls
from tests.support.manifests import ANSWER, model


async def test_a_trial_costs_nothing_until_it_is_used_up(
    store: Store, make_browser: MakeBrowser, worker: None
) -> None:
    account = await store.accounts.create(email="free@example.com", tier=Tier.FREE)
    browser = await make_browser(account)

    with use_models([model("own", call=f"[trial]\nruns = 1\n{ANSWER}")]):
        first, second = [await browser.post(RUN, json=ASK) for _ in range(2)]

    assert (first.status_code, first.json()["cost"]) == (200, 0)
    assert (second.status_code, second.json()["code"]) == (402, "grant_exhausted")
    [row] = (await browser.get("/api/usage")).json()["rows"]
    assert (row["cost"], row["creditsCost"]) == (0.01, 0)


async def test_a_run_that_was_too_dear_is_not_remembered_by_its_key(
    store: Store, make_browser: MakeBrowser, worker: None
) -> None:
    account = await store.accounts.create(email="poor@example.com", tier=Tier.ENTERPRISE)
    browser = await make_browser(account)
    headers = {"idempotency-key": "one"}

    refused = await browser.post(RUN, json=ASK, headers=headers)
    terms = store.tiers.terms(Tier.ENTERPRISE, Role.USER)
    await store.wallets.top_up(account.id, terms, 11)
    accepted = await browser.post(RUN, json=ASK, headers=headers)

    assert (refused.status_code, accepted.status_code) == (402, 200)
    assert "idempotent-replayed" not in accepted.headers


async def test_a_run_about_to_pass_what_is_allowed_stops_and_tells_its_caller(
    client: httpx2.AsyncClient, worker: None
) -> None:
    saved = await client.post("/api/workflows", json=two_calls())
    assert saved.status_code == 201, saved.text

    ask = {"inputs": {"texts": ["a", "b"]}}
    headers = {"idempotency-key": "one"}
    answer, again = [
        await client.post("/api/workflows/many/run?max_credits=20", json=ask, headers=headers)
        for _ in range(2)
    ]

    body = answer.json()
    assert (again.status_code, again.json()) == (402, body)
    assert (answer.status_code, body["code"]) == (402, "MAX_CREDITS_EXCEEDED")
    assert body["nodeId"] == "model"
    execution = (await client.get(f"/api/executions/{body['executionId']}")).json()
    assert (execution["status"], execution["creditsCost"]) == ("failed", 0)
    assert execution["error"]["code"] == "MAX_CREDITS_EXCEEDED"


async def test_a_run_that_the_balance_does_not_cover_midway_tells_its_caller(
    store: Store, make_browser: MakeBrowser, worker: None
) -> None:
    account = await store.accounts.create(email="short@example.com", tier=Tier.ENTERPRISE)
    terms = store.tiers.terms(Tier.ENTERPRISE, Role.USER)
    await store.wallets.top_up(account.id, terms, 12)
    browser = await make_browser(account)
    await browser.post("/api/workflows", json=two_calls())

    answer = await browser.post("/api/workflows/many/run", json={"inputs": {"texts": ["a", "b"]}})

    body = answer.json()
    assert (answer.status_code, body["code"]) == (402, "INSUFFICIENT_CREDITS")
    assert body["executionId"]
    assert (await browser.get("/api/me")).json()["credits"]["balance"] == 12


async def test_many_runs_at_once_are_charged_one_by_one(
    client: httpx2.AsyncClient, worker: None, store: Store, account: Account
) -> None:
    before = await credits_left(store, account)

    answers = await asyncio.gather(*(client.post(RUN, json=ASK) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert await credits_left(store, account) == before - 20 * 12
    assert await store.wallets.check(account.id) == []
