"""Workflows that call each other over HTTP, with a real worker."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.settings import Settings
from tests.gateway.conftest import Gateway
from tests.support.eventually import eventually
from tests.support.gateway.documents import edge, greeting, node
from workers.main import worker as real_worker

pytestmark = pytest.mark.A96c


@pytest.fixture
def account_tier() -> Tier:
    return Tier.ENTERPRISE


@pytest.fixture(autouse=True)
async def a_worker_runs(settings: Settings) -> AsyncIterator[None]:
    async with real_worker(settings):
        yield


def calls_itself(
    url: str, key: str, body: str = '{"inputs": {}}', **settings: object
) -> dict[str, object]:
    headers = {"x-api-key": key, "content-type": "application/json"}
    call = node(
        *("call", "httpRequest"),
        **{"url": url, "method": "POST", "headers": headers, "body": body, **settings},
    )
    return {
        "name": "Loop",
        "nodes": [call, node("out", "responseOutput")],
        "edges": [edge("call", "response-out", "out", "result-in")],
    }


async def depths(client: httpx2.AsyncClient) -> int:
    """Return the number of runs."""
    return len((await client.get("/api/executions?limit=100")).json()["rows"])


async def test_a_workflow_that_calls_itself_is_stopped_eight_deep(
    client: httpx2.AsyncClient, gateway: Gateway, api_key: str
) -> None:
    url = f"{gateway.url}/api/workflows/loop/run"
    await client.post("/api/workflows", json=calls_itself(url, api_key))

    answer = await client.post("/api/workflows/loop/run", json={"inputs": {}})

    assert answer.status_code == 500
    rows = (await client.get("/api/executions?limit=100")).json()["rows"]
    assert len(rows) == 8
    assert {row["status"] for row in rows} == {"failed"}
    executions = [
        (await client.get(f"/api/executions/{row['executionId']}")).json() for row in rows
    ]
    messages = [each["nodes"][0]["error"]["message"] for each in executions]
    # Two runs of one millisecond have no order, so that the deepest need not be the first row.
    (deepest,) = [each for each in messages if each.startswith("The server answered 508: ")]
    assert "LOOP_DETECTED" in deepest


async def test_a_workflow_that_starts_batches_of_itself_is_stopped_eight_deep(
    client: httpx2.AsyncClient, gateway: Gateway, api_key: str
) -> None:
    url = f"{gateway.url}/api/workflows/loop/batch"
    await client.post(
        "/api/workflows", json=calls_itself(url, api_key, '{"items": [{"inputs": {}}]}')
    )

    await client.post("/api/workflows/loop/run", json={"inputs": {}})

    async def rows() -> list[dict[str, object]]:
        found: list[dict[str, object]] = (await client.get("/api/executions")).json()["rows"]
        return found

    def ended(found: list[dict[str, object]]) -> bool:
        return any(row["status"] == "failed" for row in found)

    found = await eventually(rows, ended)
    assert [row["source"] for row in found] == ["batch"] * 7 + ["api-workflow"]
    assert [row["status"] for row in found] == ["failed"] + ["completed"] * 7
    assert "LOOP_DETECTED" in str(found[0]["error"])


async def test_the_caller_of_a_run_that_is_too_deep_is_told(client: httpx2.AsyncClient) -> None:
    await client.post("/api/workflows", json=greeting())

    async def run(depth: str) -> httpx2.Response:
        headers = {"headrace-depth": depth}
        body = {"inputs": {"name": "Eve"}}
        return await client.post("/api/workflows/greeting/run", json=body, headers=headers)

    refused = await run("8")

    assert (refused.status_code, refused.json()["code"]) == (508, "LOOP_DETECTED")
    assert refused.json()["maxDepth"] == 8
    assert (await run("7")).status_code == 200
    assert (await run("nonsense")).status_code == 200


async def test_an_author_cannot_set_the_depth(client: httpx2.AsyncClient) -> None:
    document = calls_itself("https://example.org/", "k", headers={"Headrace-Depth": "0"})

    answer = await client.post("/api/workflows", json=document)

    assert answer.status_code == 400
    assert "cannot be set here" in answer.text
