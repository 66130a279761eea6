"""Models over HTTP: their list, and runs of one with a real worker."""

from typing import Any

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.models.manifest import Model
from engine.models.registry import use_models
from engine.store import Account, Store
from tests.gateway.conftest import MakeClient
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting
from tests.support.gateway.model_calls import ASK, RUN, client_of, credits_left, two_calls
from tests.support.manifests import model


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
        "available": True,
        "unavailableReason": None,
        "isDemo": False,
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
