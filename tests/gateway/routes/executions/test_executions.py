"""Executions over HTTP: read, list, cancel."""

import re
import time
from typing import Any

import httpx2
import pytest

from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker, NodeFails

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
FOREIGN = b'{"error":"Execution not found","code":"EXECUTION_NOT_FOUND"}'
UNKNOWN = "/api/executions/00000000-0000-4000-8000-000000000000"
HEAD_MEMBERS = [
    *("executionId", "requestId", "workflowSlug", "workflowVersion", "source", "status"),
    *("result", "error", "creditsCost", "durationMs", "createdAt", "startedAt", "completedAt"),
    "modelIds",
]
DETAILS = ["inputs", "keyId", "httpRequestId", "deliveries"]


@pytest.fixture(autouse=True)
async def workflows_are_saved(client: httpx2.AsyncClient) -> None:
    for name in ("Greeting", "Other"):
        await client.post("/api/workflows", json=greeting(name))


async def run(client: httpx2.AsyncClient, slug: str = "greeting", name: str = "Eve") -> str:
    answer = await client.post(
        f"/api/workflows/{slug}/run",
        json={"inputs": {"name": name}},
        params={"async": "true"},
    )
    return f"/api/executions/{answer.json()['executionId']}"


async def next_millisecond() -> None:
    """Wait so that executions accepted from now on are newer on record than earlier ones."""

    async def read() -> int:
        return time.time_ns() // 1_000_000

    now = await read()
    await eventually(read, lambda later: later > now)


async def ended(client: httpx2.AsyncClient, path: str) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        body: dict[str, Any] = (await client.get(path)).json()
        return body

    return await eventually(read, lambda body: body["completedAt"] is not None)


async def test_an_execution_that_goes_on_is_processing(client: httpx2.AsyncClient) -> None:
    path = await run(client)

    body = (await client.get(path)).json()

    assert list(body) == [*HEAD_MEMBERS, *DETAILS, "nodes", "retryOf"]
    assert body["executionId"] == body["requestId"] == path.rpartition("/")[2]
    assert (body["workflowSlug"], body["workflowVersion"]) == ("greeting", 1)
    assert (body["source"], body["status"]) == ("api-workflow", "processing")
    assert MOMENT.fullmatch(body["createdAt"])
    unset = ("result", "error", "durationMs", "completedAt")
    assert [body[member] for member in unset] == [None] * 4
    assert (body["creditsCost"], body["modelIds"]) == (0, [])
    assert body["nodes"][0] == {
        "id": "in",
        "type": "requestInput",
        "status": "pending",
        "attempts": 0,
        "startedAt": None,
        "durationMs": None,
        "creditsCost": 0,
        "error": None,
    }


async def test_a_completed_execution_has_its_result_and_its_nodes(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    body = await ended(client, await run(client))

    assert (body["status"], body["result"], body["error"]) == ("completed", {"text": "Eve"}, None)
    assert body["durationMs"] >= 0
    assert MOMENT.fullmatch(body["startedAt"])
    assert MOMENT.fullmatch(body["completedAt"])
    assert [node["status"] for node in body["nodes"]] == ["completed"] * 3
    assert [node["attempts"] for node in body["nodes"]] == [1] * 3
    assert body["nodes"][0]["durationMs"] == 5
    assert MOMENT.fullmatch(body["nodes"][0]["startedAt"])


async def test_a_failed_execution_says_where_and_why(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    worker.outcome = lambda _: NodeFails("text", "broken")

    body = await ended(client, await run(client))

    message = "Node 'text' failed: broken"
    error = {"code": "EXECUTION_FAILED", "message": message, "nodeId": "text"}
    assert (body["status"], body["result"], body["error"]) == ("failed", None, error)
    assert {node["id"]: node["status"] for node in body["nodes"]}["text"] == "failed"


async def test_an_execution_outlives_its_workflow(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    path = await run(client)
    await ended(client, path)

    await client.delete("/api/workflows/greeting")

    body = (await client.get(path)).json()
    assert [node["id"] for node in body["nodes"]] == ["in", "text", "out"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_foreign_execution_is_as_unknown_as_any(
    client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient, method: str
) -> None:
    path = await run(client)
    suffix = "/cancel" if method == "POST" else ""

    for each in (path, UNKNOWN, "/api/executions/x", "/api/executions/%2e%2e", path.upper()):
        url = "/api/executions/" + each.rpartition("/")[2]
        answer = await strangers_client.request(method, url + suffix)

        assert (answer.status_code, answer.content) == (404, FOREIGN), url
    assert (await client.get(path)).json()["status"] == "processing"
    assert (await strangers_client.get("/api/executions")).json()["rows"] == []


async def test_the_list_is_newest_first_and_without_nodes(client: httpx2.AsyncClient) -> None:
    paths = []
    for number in range(3):
        paths.append(await run(client, name=f"n{number}"))
        await next_millisecond()

    body = (await client.get("/api/executions")).json()

    listed = [f"/api/executions/{row['executionId']}" for row in body["rows"]]
    assert listed == paths[::-1]
    assert list(body["rows"][0]) == HEAD_MEMBERS
    assert body["nextCursor"] is None


async def test_pages_follow_each_other_without_gap_or_repetition(
    client: httpx2.AsyncClient,
) -> None:
    for number in range(7):
        await run(client, name=f"n{number}")
    everything = (await client.get("/api/executions")).json()["rows"]

    observed, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        params = {"limit": "3"} if cursor is None else {"limit": "3", "cursor": cursor}
        body = (await client.get("/api/executions", params=params)).json()
        observed += body["rows"]
        cursor = body["nextCursor"]
        pages += 1

    assert observed == everything
    assert pages == 3


async def test_the_list_is_filtered_by_status_and_workflow(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    done = await run(client)
    await ended(client, done)
    worker.is_idle = True
    waiting = await run(client, "other")

    async def listed(**params: str) -> list[str]:
        rows = (await client.get("/api/executions", params=params)).json()["rows"]
        return [f"/api/executions/{row['executionId']}" for row in rows]

    assert await listed(status="completed") == [done]
    assert await listed(status="processing") == [waiting]
    assert await listed(workflowSlug="other") == [waiting]
    assert await listed(workflowSlug="other", status="completed") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", "done"), ("status", ""), ("limit", "0"), ("limit", "501"), ("limit", "1.5")]
    + [("limit", "-1"), ("limit", "٣"), ("limit", "9" * 50), ("workflowSlug", "A b")]
    + [("cursor", "x"), ("cursor", ""), ("cursor", "MTIz"), ("cursor", "é"), ("cursor", "a" * 999)],
)
async def test_a_query_value_that_does_not_parse_is_refused(
    client: httpx2.AsyncClient, name: str, value: str
) -> None:
    answer = await client.get("/api/executions", params={name: value})

    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "INVALID_QUERY"
    assert answer.json()["field"] == name


async def test_an_execution_that_nobody_holds_is_cancelled(client: httpx2.AsyncClient) -> None:
    path = await run(client)

    answer = await client.post(f"{path}/cancel")

    expected = {"executionId": path.rpartition("/")[2], "status": "cancel_requested"}
    assert (answer.status_code, answer.json()) == (202, expected)
    body = await ended(client, path)
    assert body["status"] == "cancelled"
    assert {node["status"] for node in body["nodes"]} == {"cancelled"}


async def test_an_execution_that_has_ended_cannot_be_cancelled(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    path = await run(client)
    await ended(client, path)

    answer = await client.post(f"{path}/cancel")

    assert answer.status_code == 409
    assert answer.json()["code"] == "EXECUTION_NOT_CANCELLABLE"
    assert answer.json()["status"] == "completed"
