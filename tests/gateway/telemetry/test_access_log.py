"""Log of requests: one line for each, with the ids that join it to others and without values."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.settings import SettingError, Settings
from engine.store import Account
from gateway.admission.departure import Departure
from gateway.admission.request_context import RequestContext
from gateway.services import open_services
from gateway.telemetry.access_log import make_line
from tests.gateway.conftest import Gateway
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker

TOKEN = "a1B2c3" + "Zz" * 20
TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-00"
Lines = Callable[[int], Any]


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, access_log=str(tmp_path / "access.log"))


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    """Return a reader of the lines, once there are as many."""

    async def read() -> list[dict[str, Any]]:
        text = await asyncio.to_thread((tmp_path / "access.log").read_text)
        found = map(json.loads, text.splitlines())
        return [line for line in found if line["logger"] == "headrace.requests"]

    return lambda count: eventually(read, lambda found: len(found) >= count)


async def save(client: httpx2.AsyncClient) -> str:
    answer = await client.post("/api/workflows", json=greeting())
    return str(answer.json()["slug"])


async def test_a_line_joins_a_run_to_its_execution_its_caller_and_its_trace(
    client: httpx2.AsyncClient, account: Account, worker: FakeWorker, lines: Lines
) -> None:
    slug = await save(client)
    headers = {"x-request-id": "mine-1", "traceparent": TRACE, "user-agent": "curl/8"}
    answer = await client.post(
        f"/api/workflows/{slug}/run?timeout=30", json={"inputs": {"name": "Ada"}}, headers=headers
    )

    line = (await lines(2))[1]
    key = (await client.get("/api/me")).json()
    assert line.pop("at").endswith("Z")
    assert line.pop("durationMs") > 0
    assert line.pop("executionId")
    assert line.pop("keyId").startswith("key_")
    assert line == {
        "level": "info",
        "logger": "headrace.requests",
        "event": "request",
        "method": "POST",
        "route": "/api/workflows/{slug}/run",
        "path": f"/api/workflows/{slug}/run",
        "query": ["timeout"],
        "status": answer.status_code,
        "bytes": len(answer.content),
        "accountId": account.id,
        "requestId": "mine-1",
        "traceId": "a" * 32,
        "address": "127.0.0.1",
        "userAgent": "curl/8",
    }
    assert key


async def test_an_execution_that_is_read_is_named_too(
    client: httpx2.AsyncClient, worker: FakeWorker, lines: Lines
) -> None:
    slug = await save(client)
    run = await client.post(
        f"/api/workflows/{slug}/run?async=true", json={"inputs": {"name": "Ada"}}
    )
    execution_id = run.json()["executionId"]
    await client.get(f"/api/executions/{execution_id}")

    found = await lines(3)
    assert [line.get("executionId") for line in found] == [None, execution_id, execution_id]


async def test_neither_tokens_nor_values_of_queries_are_told(
    gateway: Gateway, lines: Lines, tmp_path: Path
) -> None:
    async with httpx2.AsyncClient(base_url=gateway.url) as stranger:
        await stranger.post(f"/hooks/{TOKEN}?q=canary-1", json={"a": "canary-2"})
        await stranger.get(f"/approvals/{TOKEN}?canary-3%20=1&ok=canary-4")
        await stranger.get("/login", params={"token": "hr_login_" + "a" * 43})
        await stranger.get("/api/hr_live_" + "b" * 43)
        await stranger.post(f"/hooks//{TOKEN}", json={})

    found = await lines(5)
    text = await asyncio.to_thread((tmp_path / "access.log").read_text)
    assert "canary" not in text
    assert TOKEN not in text
    assert "a" * 10 not in text
    assert "b" * 10 not in text
    assert [line["path"] for line in found] == [
        *(
            "/hooks/a1B2c3…",
            "/approvals/a1B2c3…",
            "/login",
            "/api/hr_live_bbbb…",
            "/hooks//a1B2c3…",
        ),
    ]
    assert [line.get("query", []) for line in found] == [["q"], ["…", "ok"], ["token"], [], []]


async def test_a_refused_call_has_a_line_without_an_account(gateway: Gateway, lines: Lines) -> None:
    async with httpx2.AsyncClient(base_url=gateway.url) as stranger:
        answer = await stranger.get("/api/workflows", headers={"x-api-key": "wrong"})
        await stranger.request("PROPFIND", "/nothing%7F%E2%80%AE")

    first, second = await lines(2)
    assert (first["status"], first["requestId"]) == (401, answer.headers["x-request-id"])
    assert "accountId" not in first
    assert (second["method"], second["status"], "route" in second) == ("other", 404, False)


def test_long_texts_of_callers_are_cut() -> None:
    scope = {
        "method": "GET",
        "path": "/" + "p" * 10_000,
        "query_string": b"&".join(b"n%d" % number for number in range(10_000)),
        "headers": [(b"user-agent", b"\xff" * 10_000)],
    }

    line = make_line(scope, RequestContext(status=404), "127.0.0.1", 1, 0.5)

    assert (len(line.path), len(line.query), len(line.user_agent)) == (256, 10, 128)


async def test_a_client_that_leaves_has_a_line_too(
    client: httpx2.AsyncClient, worker: FakeWorker, lines: Lines
) -> None:
    slug = await save(client)
    worker.is_idle = True
    with pytest.raises(httpx2.ReadTimeout):
        await client.post(
            f"/api/workflows/{slug}/run", json={"inputs": {"name": "Ada"}}, timeout=0.3
        )

    assert (await lines(2))[1]["method"] == "POST"


async def test_a_file_that_cannot_be_written_stops_the_start(
    settings: Settings, tmp_path: Path
) -> None:
    wrong = replace(settings, access_log=str(tmp_path / "none" / "access.log"))

    with pytest.raises(SettingError, match=r"HEADRACE_ACCESS_LOG: .* cannot be written"):
        async with open_services(wrong, Departure.of(wrong, None)):
            pass
