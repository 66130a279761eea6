"""Middleware of every request."""

import logging
import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.errors import WorkflowNotFound
from engine.telemetry.metrics import HTTP_FAULTS
from engine.telemetry.traces import context
from gateway.http.middleware import BodyLimits, Errors, RequestIds
from tests.support.gateway.fake_worker import keep_error

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Behave as the path says."""
    match scope["path"]:
        case "/bug":
            raise RuntimeError("secret detail")
        case "/error":
            raise WorkflowNotFound
        case "/late-bug":
            await StreamingResponse(failing())(scope, receive, send)
        case _:
            body = await Request(scope, receive).body()
            await Response(str(len(body)))(scope, receive, send)


async def failing() -> AsyncIterator[bytes]:
    yield b"begun"
    raise RuntimeError("secret detail")


async def unframed() -> AsyncIterator[bytes]:
    for _ in range(11):
        yield b"0123456789"


def client_of(wrapped: ASGIApp) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=wrapped)
    return httpx2.AsyncClient(transport=transport, base_url="http://gateway")


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(RequestIds(Errors(BodyLimits(app, max_bytes=100), keep_error))) as client:
        yield client


async def test_a_request_without_an_id_gets_one(client: httpx2.AsyncClient) -> None:
    first, second = await client.get("/"), await client.get("/")

    assert len(first.headers["x-request-id"]) == 32
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/", "/bug", "/error"])
async def test_no_answer_is_taken_for_another_type(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]


@pytest.mark.parametrize("path", ["/", "/bug", "/error"])
async def test_a_sane_id_of_the_caller_is_kept(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"x-request-id": "order-17:a.b_c"})

    assert answer.headers["x-request-id"] == "order-17:a.b_c"


@pytest.mark.parametrize("request_id", ["", "a b", "a;b", "x" * 129, "a\tb", "ä"])
async def test_an_id_that_is_not_sane_is_replaced(
    client: httpx2.AsyncClient, request_id: str
) -> None:
    answer = await client.get("/", headers={"x-request-id": request_id.encode()})

    assert len(answer.headers["x-request-id"]) == 32


async def test_an_error_in_a_trace_names_it(client: httpx2.AsyncClient) -> None:
    header = f"00-{TRACE}-00f067aa0ba902b7-01"

    answers = [
        await client.get(path, headers={"traceparent": header}) for path in ("/error", "/bug")
    ]
    last = await client.get("/error")

    assert [each.json()["traceId"] for each in answers] == [TRACE] * 2
    assert "traceId" not in last.json()


@pytest.mark.parametrize("header", ["", TRACE, f"00-{TRACE}-0000000000000000-01", "ä"])
async def test_a_wrong_traceparent_is_ignored(client: httpx2.AsyncClient, header: str) -> None:
    answer = await client.get("/error", headers={"traceparent": header.encode()})

    assert answer.status_code == 404
    assert "traceId" not in answer.json()


async def test_two_callers_are_none(client: httpx2.AsyncClient) -> None:
    header = f"00-{TRACE}-00f067aa0ba902b7-01"

    answer = await client.get("/error", headers=[("traceparent", header)] * 2)

    assert "traceId" not in answer.json()


async def test_a_request_has_a_span_of_its_own_while_tracing_is_on(
    client: httpx2.AsyncClient,
) -> None:
    context.set_sampler(lambda trace_id, is_caller_sampled: True)
    try:
        answer = await client.get("/error")
    finally:
        context.set_sampler(None)

    assert re.fullmatch(r"[0-9a-f]{32}", answer.json()["traceId"])


async def test_an_error_of_the_engine_becomes_its_answer(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/error")

    assert answer.status_code == 404
    assert answer.json() == {"error": "Workflow not found", "code": "WORKFLOW_NOT_FOUND"}


async def test_a_bug_is_logged_and_not_shown(
    client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    before = HTTP_FAULTS._value.get()

    answer = await client.get("/bug")

    assert answer.status_code == 500
    assert HTTP_FAULTS._value.get() == before + 1
    assert answer.json()["code"] == "INTERNAL_ERROR"
    assert "secret detail" not in answer.text
    [record] = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.exc_info is not None


async def test_a_bug_after_the_answer_began_is_not_answered_twice(
    client: httpx2.AsyncClient,
) -> None:
    with pytest.raises(RuntimeError):
        await client.get("/late-bug")


async def test_a_body_at_the_limit_is_taken(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/", content=b"x" * 100)

    assert answer.text == "100"


async def test_a_body_over_the_limit_is_refused_by_its_length(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/", content=b"x" * 101)

    assert answer.status_code == 413
    assert answer.json()["code"] == "BODY_TOO_LARGE"
    assert answer.json()["limit"] == 100


async def test_a_body_over_the_limit_is_refused_by_its_count(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/", content=unframed())

    assert answer.status_code == 413
