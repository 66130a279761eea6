"""Results too large for the record, over HTTP: read as others, or explained when they are gone."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from engine.errors import StorageFailed
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Account
from tests.support.gateway.documents import edge, node
from tests.support.media.faulty_blob_stores import shorten_pauses
from tests.support.media.object_files import outputs_of
from workers.main import worker

RUN = "/api/workflows/large/run"
SIZE = 400_000
TEXT = {"text": "x" * SIZE}


def large() -> dict[str, Any]:
    """Return a workflow that makes a long text of a short one."""
    field = {"name": "name", "label": "Name", "type": "textarea", "required": True}
    return {
        "name": "Large",
        "nodes": [
            node("in", "requestInput", fields=[field]),
            node("text", "textBox", text="{{ a }}" * 100),
            node("out", "responseOutput"),
        ],
        "edges": [
            edge("in", "name", "text", "a"),
            edge("text", "text-out", "out", "result-in"),
        ],
    }


@pytest.fixture(autouse=True)
async def a_worker_runs(
    settings: Settings, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    shorten_pauses(monkeypatch)
    assert (await client.post("/api/workflows", json=large())).status_code == 201
    async with worker(settings):
        yield


async def run(client: httpx2.AsyncClient, path: str = RUN, key: str = "") -> httpx2.Response:
    headers = {"idempotency-key": key} if key else {}
    body = {"inputs": {"name": "x" * (SIZE // 100)}}
    return await client.post(path, json=body, headers=headers)


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*args: object) -> bytes:
        await asyncio.sleep(0)
        raise StorageFailed

    monkeypatch.setattr(ObjectStore, "read", fail)


async def test_a_large_result_is_answered_read_listed_and_replayed_as_any_other(
    client: httpx2.AsyncClient,
) -> None:
    first = await run(client, key="k")
    execution = await client.get(f"/api/executions/{first.json()['executionId']}")
    listed = await client.get("/api/executions")
    again = await run(client, key="k")

    assert first.json()["result"] == TEXT
    assert execution.json()["result"] == TEXT
    assert [row["result"] for row in listed.json()["rows"]] == [TEXT]
    assert again.content == first.content


async def test_a_result_that_was_removed_is_explained_to_whoever_reads_it(
    client: httpx2.AsyncClient, settings: Settings, account: Account
) -> None:
    execution_id = (await run(client, key="k")).json()["executionId"]
    for file in outputs_of(settings, account.id, execution_id):
        file.unlink()

    answers = [await client.get(f"/api/executions/{execution_id}"), await run(client, key="k")]
    listed = await client.get("/api/executions")
    usage = await client.get("/api/usage")

    for answer in answers:
        assert answer.status_code == 500
        assert answer.json() == {
            "error": "The result of this execution is not there any more",
            "code": "INTERNAL_ERROR",
            "executionId": execution_id,
        }
    assert [row["result"] for row in listed.json()["rows"]] == [None]
    assert [row["status"] for row in usage.json()["rows"]] == ["completed"]


async def test_a_result_that_cannot_be_read_right_now_can_be_asked_for_later(
    client: httpx2.AsyncClient, unreadable: None
) -> None:
    waited = await run(client)
    execution_id = waited.json()["executionId"]
    read = await client.get(f"/api/executions/{execution_id}")

    for answer in (waited, read):
        assert answer.status_code == 503
        assert answer.json()["code"] == "UNAVAILABLE"
        assert answer.json()["executionId"] == execution_id
        assert int(answer.headers["retry-after"]) > 0


async def test_no_link_leads_to_an_output(
    client: httpx2.AsyncClient, settings: Settings, account: Account
) -> None:
    execution_id = (await run(client)).json()["executionId"]
    (*_, file) = outputs_of(settings, account.id, execution_id)
    key = f"outputs/{account.id}/{execution_id}/{file.name}"

    paths = [f"{start}{key}" for start in ("/media/", "/api/assets/", "/media/ou/../")]
    answers = [await client.get(path) for path in (*paths, f"/media/{key.replace('/', '%2F')}")]

    assert {answer.status_code for answer in answers} == {404}
