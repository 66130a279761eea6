"""Models over HTTP: their list, and runs of one with a real worker."""

from typing import Any

import httpx2
import pytest

from engine.models.manifest import Model
from engine.models.registry import use_models
from tests.support.gateway.model_calls import ASK, RUN, two_calls
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
        "takesTools": False,
    }
    assert films["pricing"] == [{"unit": "second", "usd": 0.0004, "credits": 0.48}]
    assert (films["category"], films["tierRequired"]) == ("video", "enterprise")
    assert (gone["internalName"], gone["enabled"]) == ("gone", False)


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


@pytest.mark.parametrize("name", ["nothing", "gone", "OWN", "own%20", "x" * 200])
async def test_a_model_that_is_not_there_or_disabled_is_not_found(
    client: httpx2.AsyncClient, name: str
) -> None:
    answer = await client.post(f"/api/models/{name}/run", json=ASK)

    assert (answer.status_code, answer.json()["code"]) == (404, "MODEL_NOT_FOUND")


async def test_a_model_above_the_tier_is_refused(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/api/models/films/run", json=ASK)

    assert (answer.status_code, answer.json()["code"]) == (403, "MODEL_TIER_REQUIRED")
