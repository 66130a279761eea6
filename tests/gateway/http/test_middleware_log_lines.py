"""The gateway's log against callers who try to forge its lines."""

import io
import json
import logging
from collections.abc import Iterator
from itertools import product
from typing import Any

import httpx2
import pytest

from engine.services.workflows import publish
from engine.telemetry import log
from tests.engine.telemetry.test_log_lines import TRICKS
from tests.gateway.conftest import Gateway
from tests.support.gateway.documents import greeting
from tests.support.gateway.raw_requests import exchange, request

pytestmark = pytest.mark.A63

CANARY = "canary-4711"


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Return the gateway's log in its operators' format."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    handler.setFormatter(log.JsonFormatter())
    handler.addFilter(lambda record: not record.name.startswith("http"))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


def lines(logged: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logged.getvalue().split("\n")[:-1]]


async def test_every_line_is_an_object_whatever_callers_send(
    logged: io.StringIO, browser: httpx2.AsyncClient, client: httpx2.AsyncClient
) -> None:
    texts = [text for text in TRICKS if text != "\ud800"]  # a client cannot send this

    for text in texts:
        forged = text + CANARY
        key = await browser.post(
            "/api/api-keys", json={"name": forged[:100], "preset": "Full deploy"}
        )
        await browser.delete(f"/api/api-keys/{key.json().get('id', 'none')}")
        await client.post("/api/workflows", json=greeting(forged))
        await client.post("/api/workflows", json={"name": forged, "nodes": forged})
        await client.post("/api/workflows", json={"name": forged, "nodes": [{"id": forged}]})
        await client.get("/api/executions", params={"cursor": forged, "status": forged})
        await client.post("/api/workflows/greeting/run", json={"inputs": {forged: forged}})

    found = lines(logged)
    assert len([line for line in found if line["event"] == "API key created"]) == len(texts)
    assert all({"at", "level", "logger", "event"} <= line.keys() for line in found)
    assert not [line for line in found if line["event"] == "forged"]


async def test_a_bug_is_one_line_whatever_it_was_about(
    logged: io.StringIO,
    gateway: Gateway,
    api_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(value: object) -> Any:
        raise RuntimeError(f"no idea of {value!r}: " + "".join(TRICKS))

    root = logging.getLogger()
    # pytest's copy of the log may have to travel as UTF-8, and one of the tricks is not UTF-8.
    ours = [each for each in root.handlers if type(each) is logging.StreamHandler]
    monkeypatch.setattr(root, "handlers", ours)
    monkeypatch.setattr(publish, "parse_document", fail)
    body = json.dumps({"name": CANARY})
    paths = ("/api/workflows", "/api/workflows?", "/api/workflows#%0a")

    for path, brought in product(paths, ("sane-id", "not sane \x9b31m")):
        headers = f"x-api-key: {api_key}", f"x-request-id: {brought}"
        received = await exchange(gateway.url, request("POST", path, *headers, body=body))
        assert b"INTERNAL_ERROR" in received
        assert CANARY.encode() not in received

    found = [line for line in lines(logged) if line["event"] == "request failed"]
    assert len(found) == len(paths) * 2
    assert all("RuntimeError: no idea of" in line["traceback"] for line in found)
    assert [line["requestId"] == "sane-id" for line in found] == [True, False] * len(paths)
