"""Models over HTTP: the list of them, and runs of one with a real worker behind."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest

from engine.capabilities import Role, Tier
from engine.models.manifest import Model
from engine.models.registry import use_models
from engine.settings import Settings
from engine.store import Account, Store
from tests.eventually import eventually
from tests.gateway.conftest import MakeBrowser, MakeClient
from tests.gateway.factories import edge, greeting, node
from tests.manifests import ANSWER, model
from workers.main import worker as real_worker

RUN = "/api/models/own/run"
ASK = {"inputs": {"prompt": "Eve"}}
PER_SECOND = '[[pricing]]\nunit = "second"\nusd = "0.0004"\natMost = 10\n'


@pytest.fixture
async def account(store: Store) -> Account:
    """One whose keys may run models."""
    return await store.accounts.create(email="ada@example.com", tier=Tier.BUSINESS)


@pytest.fixture
async def api_key(store: Store, account: Account) -> str:
    capabilities = ["workflow:*", "model:run"]
    _, secret = await store.api_keys.create(account, name="test", capabilities=capabilities)
    return secret


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    models = [
        model("own"),
        model("gone", head="enabled = false\n"),
        model("films", category="video", tier="enterprise", pricing=PER_SECOND),
    ]
    with use_models(models):
        yield


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[None]:
    async with real_worker(settings):
        yield


async def client_of(store: Store, make_client: MakeClient, tier: Tier, *held: str) -> Any:
    account = await store.accounts.create(email="eve@example.com", tier=tier)
    _, secret = await store.api_keys.create(account, name="narrow", capabilities=held)
    return await make_client(secret)


async def credits_left(store: Store, account: Account, tier: Tier = Tier.BUSINESS) -> int:
    terms = store.tiers.terms(tier, Role.USER)
    return (await store.wallets.read(account.id, terms)).balance


async def test_the_list_has_all_models_with_prices_after_the_markup(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.get("/api/models")

    films, gone, own = answer.json()
    assert answer.status_code == 200
    assert own == {
        "internalName": "own",
        "name": "A model",
        "category": "text",
        "fields": [{"name": "prompt", "label": "prompt", "type": "text", "required": True}],
        "pricing": [{"unit": "call", "usd": 0.01, "credits": 12}],
        "tierRequired": "free",
        "enabled": True,
    }
    assert films["pricing"] == [{"unit": "second", "usd": 0.0004, "credits": 0.48}]
    assert (films["category"], films["tierRequired"]) == ("video", "enterprise")
    assert (gone["internalName"], gone["enabled"]) == ("gone", False)


@pytest.mark.parametrize("held", ["workflow:read", "model:run", "model:*"])
async def test_either_of_two_capabilities_opens_the_list(
    store: Store, make_client: MakeClient, held: str
) -> None:
    client = await client_of(store, make_client, Tier.BUSINESS, held)

    assert (await client.get("/api/models")).status_code == 200


@pytest.mark.parametrize("held", ["workflow:run", "model:own:run", "webhook:receive"])
async def test_other_capabilities_do_not_open_the_list(
    store: Store, make_client: MakeClient, held: str
) -> None:
    client = await client_of(store, make_client, Tier.BUSINESS, held)

    answer = await client.get("/api/models")

    assert (answer.status_code, answer.json()["code"]) == (403, "CAPABILITY_DENIED")
    assert answer.json()["required"] == "workflow:read"


async def test_who_is_not_approved_may_see_the_list(store: Store, make_client: MakeClient) -> None:
    account = await store.accounts.create(email="a@e.com", tier=Tier.BUSINESS, approved=False)
    _, secret = await store.api_keys.create(account, name="n", capabilities=["model:run"])
    client = await make_client(secret)

    run = await client.post(RUN, json=ASK)

    assert (await client.get("/api/models")).status_code == 200
    assert (run.status_code, run.json()["code"]) == (403, "ACCOUNT_NOT_APPROVED")


async def test_a_run_answers_with_what_the_model_gave_and_its_cost(
    client: httpx2.AsyncClient, worker: None, store: Store, account: Account
) -> None:
    before = await credits_left(store, account)

    answer = await client.post(RUN, json=ASK)

    body = answer.json()
    assert answer.status_code == 200
    assert list(body) == ["success", "result", "cost", "ms", "executionId"]
    assert (body["result"], body["cost"]) == ({"text": "<Eve>"}, 12)
    assert await credits_left(store, account) == before - 12


async def test_the_execution_of_a_run_names_its_model_and_no_workflow(
    client: httpx2.AsyncClient, worker: None
) -> None:
    ran = (await client.post(RUN, json=ASK)).json()

    execution = (await client.get(f"/api/executions/{ran['executionId']}")).json()

    assert execution["workflowSlug"] is None
    assert (execution["source"], execution["modelIds"]) == ("api-slim", ["own"])
    assert (execution["status"], execution["creditsCost"]) == ("completed", 12)
    costs = {each["type"]: each["creditsCost"] for each in execution["nodes"]}
    assert costs == {"requestInput": 0, "customModel": 12, "responseOutput": 0}


@pytest.mark.parametrize("left", [[], [model("own", head="enabled = false\n")]])
async def test_an_execution_can_be_read_when_its_model_is_gone(
    client: httpx2.AsyncClient, worker: None, left: list[Model]
) -> None:
    await client.post("/api/workflows", json=two_calls())
    first = await client.post("/api/workflows/many/run", json={"inputs": {"texts": ["a"]}})
    second = await client.post(RUN, json=ASK)

    async def read() -> list[Any]:
        paths = [f"/api/executions/{ran.json()['executionId']}" for ran in (first, second)]
        return [(await client.get(path)).json() for path in paths]

    before = await read()
    with use_models(left):
        after = await read()

    assert after == before
    assert [len(execution["nodes"]) for execution in after] == [len(two_calls()["nodes"]), 3]


async def test_a_run_may_go_on_by_itself(client: httpx2.AsyncClient, worker: None) -> None:
    accepted = await client.post(RUN, params={"async": "true"}, json=ASK)

    async def read() -> Any:
        return (await client.get(accepted.json()["pollUrl"])).json()

    ended = await eventually(read, lambda body: body["status"] == "completed")
    assert (accepted.status_code, accepted.json()["_async"]) == (202, True)
    assert ended["result"] == {"text": "<Eve>"}


async def test_a_browser_runs_models_too(browser: httpx2.AsyncClient, worker: None) -> None:
    ran = (await browser.post(RUN, json=ASK)).json()

    execution = (await browser.get(f"/api/executions/{ran['executionId']}")).json()
    assert (execution["source"], execution["workflowSlug"]) == ("app", None)


@pytest.mark.parametrize("name", ["nothing", "gone", "OWN", "own%20", "x" * 200])
async def test_a_model_that_is_not_there_or_disabled_is_not_found(
    client: httpx2.AsyncClient, name: str
) -> None:
    answer = await client.post(f"/api/models/{name}/run", json=ASK)

    assert (answer.status_code, answer.json()["code"]) == (404, "MODEL_NOT_FOUND")


@pytest.mark.parametrize("inputs", [{}, {"prompt": 5}, {"prompt": None}])
async def test_inputs_are_checked_against_the_models_fields(
    client: httpx2.AsyncClient, inputs: dict[str, Any]
) -> None:
    answer = await client.post(RUN, json={"inputs": inputs})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_INPUTS")
    assert answer.json()["field"] == "prompt"
    assert (await client.get("/api/executions")).json()["rows"] == []


async def test_a_key_for_one_model_runs_that_one_alone(
    store: Store, make_client: MakeClient
) -> None:
    client = await client_of(store, make_client, Tier.BUSINESS, "model:own:run")

    own = await client.post(RUN, params={"async": "true"}, json=ASK)
    other = await client.post("/api/models/films/run", params={"async": "true"}, json=ASK)

    assert own.status_code == 202
    assert (other.status_code, other.json()["required"]) == (403, "model:run")


async def test_runs_of_workflows_and_of_models_are_counted_apart(
    client: httpx2.AsyncClient, worker: None
) -> None:
    await client.post("/api/workflows", json=greeting())

    of_model = await client.post(RUN, json=ASK)
    of_workflow = await client.post("/api/workflows/greeting/run", json={"inputs": {"name": "a"}})

    assert of_model.headers["x-ratelimit-remaining"] == "999"
    assert of_workflow.headers["x-ratelimit-remaining"] == "999"


async def test_a_model_above_the_tier_is_refused(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/api/models/films/run", json=ASK)

    assert (answer.status_code, answer.json()["code"]) == (403, "MODEL_TIER_REQUIRED")


async def test_a_run_that_is_repeated_with_its_key_is_charged_once(
    client: httpx2.AsyncClient, worker: None, store: Store, account: Account
) -> None:
    before = await credits_left(store, account)
    headers = {"idempotency-key": "one"}

    first, second = [await client.post(RUN, json=ASK, headers=headers) for _ in range(2)]

    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    assert await credits_left(store, account) == before - 12


async def test_an_estimate_above_what_is_allowed_is_refused_at_once(
    client: httpx2.AsyncClient, worker: None
) -> None:
    refused = await client.post(RUN, params={"max_credits": "11"}, json=ASK)
    allowed = await client.post(RUN, params={"max_credits": "12"}, json=ASK)

    assert (refused.status_code, refused.json()["code"]) == (402, "MAX_CREDITS_EXCEEDED")
    assert allowed.status_code == 200
    assert len((await client.get("/api/executions")).json()["rows"]) == 1


async def test_a_balance_that_does_not_cover_the_run_is_told(
    store: Store, make_browser: MakeBrowser
) -> None:
    account = await store.accounts.create(email="poor@example.com", tier=Tier.ENTERPRISE)
    browser = await make_browser(account)

    answer = await browser.post(RUN, json=ASK)

    body = answer.json()
    assert (answer.status_code, body["code"]) == (402, "INSUFFICIENT_CREDITS")
    assert (body["required"], body["balance"]) == (11, 0)


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


def two_calls() -> dict[str, Any]:
    """A workflow that gives a model as many texts as its caller says."""
    count = {"name": "texts", "label": "Texts", "type": "json", "required": True}
    nodes = [
        node("in", "requestInput", fields=[count]),
        node("items", "transform", expression="value.texts"),
        node("list", "list"),
        node("model", "customModel", model="own"),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("in", "params", "items", "value-in"),
        edge("items", "value-out", "list", "items-in"),
        edge("list", "items-out", "model", "prompt-in"),
        edge("model", "text-out", "out", "result-in"),
    ]
    return {"name": "Many", "nodes": nodes, "edges": edges}


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


async def test_estimates_are_after_the_callers_markup(
    client: httpx2.AsyncClient, store: Store, make_client: MakeClient
) -> None:
    template = two_calls() | {"isTemplate": True, "publicPlayground": True}
    await client.post("/api/workflows", json=template)
    await client.post("/api/workflows", json=greeting())
    other = await client_of(store, make_client, Tier.PRO, "workflow:read")

    rows = {row["slug"]: row for row in (await client.get("/api/workflows")).json()}
    schema = (await client.get("/api/workflows/many/schema")).json()
    public = (await client.get("/api/workflows/many/public-schema")).json()
    [foreign] = (await other.get("/api/workflows")).json()

    assert rows["many"]["estimatedCreditCost"] == schema["estimatedCreditCost"] == 12
    assert rows["greeting"]["estimatedCreditCost"] == 0
    assert foreign["estimatedCreditCost"] == 13
    assert "estimatedCreditCost" not in public


async def test_a_browser_sees_what_its_account_has_to_spend(
    browser: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    terms = store.tiers.terms(Tier.BUSINESS, Role.USER)
    await store.wallets.top_up(account.id, terms, 500)

    credits = (await browser.get("/api/me")).json()["credits"]

    assert (credits["balance"], credits["allowance"]) == (11_829, 11_329)
    assert credits["topUps"] == [{"credits": 500, "expiresAt": None}]
    assert credits["refreshedAt"].endswith("Z")


async def test_many_runs_at_once_are_charged_one_by_one(
    client: httpx2.AsyncClient, worker: None, store: Store, account: Account
) -> None:
    before = await credits_left(store, account)

    answers = await asyncio.gather(*(client.post(RUN, json=ASK) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert await credits_left(store, account) == before - 20 * 12
    assert await store.wallets.check(account.id) == []
