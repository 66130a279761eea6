"""Failures of HTTP are answers of the protocol, with their reason."""

import gzip
import json
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from deploy.client.mcp.answering_transport import AnsweringTransport

URL = "http://gateway.example:8000/mcp"
ANSWER = {"jsonrpc": "2.0", "id": 1, "result": {}}


async def posted(answer: Callable[[httpx2.Request], httpx2.Response]) -> httpx2.Response:
    transport = AnsweringTransport(httpx2.MockTransport(answer))
    async with httpx2.AsyncClient(transport=transport) as client:
        return await client.post(URL, json={})


def reason(response: httpx2.Response) -> tuple[int, str]:
    body = response.json()
    assert body["jsonrpc"] == "2.0" and body["id"] is None
    return body["error"]["code"], body["error"]["message"]


@pytest.mark.parametrize(
    "error", [httpx2.ConnectError("x"), httpx2.ReadTimeout("x"), httpx2.RemoteProtocolError("x")]
)
async def test_a_server_that_does_not_answer_is_named(error: httpx2.TransportError) -> None:
    def fail(_: httpx2.Request) -> httpx2.Response:
        raise error

    response = await posted(fail)

    kind = type(error).__name__
    sentence = f"http://gateway.example:8000 does not answer ({kind})."
    assert (response.status_code, *reason(response)) == (502, -32603, sentence)


async def test_an_answer_that_breaks_off_is_a_failure() -> None:
    async def piece() -> AsyncIterator[bytes]:
        yield b'{"jsonrpc'
        raise httpx2.ReadError("gone")

    response = await posted(
        lambda _: httpx2.Response(
            200, headers={"content-type": "application/json"}, content=piece()
        )
    )

    assert reason(response)[1].endswith("does not answer (ReadError).")


@pytest.mark.parametrize(
    ("status", "body", "code", "sentence"),
    [
        (
            401,
            {"error": "Unauthorized", "code": "UNAUTHORIZED"},
            -32600,
            "UNAUTHORIZED: Unauthorized",
        ),
        (429, {"error": "Too many requests"}, -32600, "Too many requests"),
        (503, {"detail": "?"}, -32603, "The server answered 503."),
        (502, "<html>", -32603, "The server answered 502."),
    ],
)
async def test_a_refusal_keeps_its_status_and_its_sentence(
    status: int, body: object, code: int, sentence: str
) -> None:
    response = await posted(lambda _: httpx2.Response(status, content=json.dumps(body)))

    assert response.status_code == status
    assert reason(response) == (code, sentence)


async def test_an_error_of_the_protocol_is_passed_on() -> None:
    body = {"jsonrpc": "2.0", "id": 3, "error": {"code": -32601, "message": "Method not found"}}

    response = await posted(lambda _: httpx2.Response(404, json=body))

    assert (response.status_code, response.json()) == (404, body)


async def test_an_answer_is_passed_on_with_its_headers() -> None:
    packed = gzip.compress(json.dumps(ANSWER).encode())
    headers = {
        "content-encoding": "gzip",
        "content-type": "application/json",
        "mcp-session-id": "one",
    }

    response = await posted(lambda _: httpx2.Response(200, headers=headers, content=packed))

    assert response.json() == ANSWER
    assert response.headers["content-type"] == "application/json"
    assert response.headers["mcp-session-id"] == "one"


async def test_events_are_not_waited_for() -> None:
    read = 0

    async def events() -> AsyncIterator[bytes]:
        nonlocal read
        for number in range(3):
            read += 1
            yield f"data: {number}\n\n".encode()

    def answer(_: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": "text/event-stream; charset=utf-8"}
        return httpx2.Response(200, headers=headers, content=events())

    transport = AnsweringTransport(httpx2.MockTransport(answer))
    request = httpx2.Request("POST", URL)
    response = await transport.handle_async_request(request)

    assert read == 0
    assert await response.aread() == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
