"""The transport: requests as calls of the account, and bodies as they come."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import HttpAnswer, HttpCall
from workers.mcp.transport import EgressTransport

CALL = HttpCall(
    method="POST",
    url="https://tools.example/mcp",
    headers=(("Authorization", "Bearer t"),),
    timeout_seconds=5,
    max_bytes=77,
)


class Site:
    """Answers calls with a status and pieces, and then fails if it is to."""

    def __init__(self, status: int = 200, pieces: tuple[bytes, ...] = (b'{"id"', b": 1}")) -> None:
        self.status = status
        self.pieces = pieces
        self.kind = "application/json"
        self.failure: Exception | None = None
        self.calls: list[HttpCall] = []
        self.is_endless = False
        self.was_cancelled = False

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        self.calls.append(call)
        answer = HttpAnswer(
            status=self.status,
            headers={"content-encoding": "gzip", "content-type": self.kind, "x-a": "1"},
            body=b"",
        )
        if self.status == 0:
            raise NodeFailed("connection_failed", "away")
        assert call.consume is not None
        try:
            await call.consume(answer, self._body())
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        return answer

    async def _body(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.failure is not None:
            raise self.failure
        if self.is_endless:
            await asyncio.Event().wait()


def request(method: str = "POST", **headers: str) -> httpx2.Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Request(method, CALL.url, headers=named, content=b"{}")


async def test_a_request_is_a_call_with_the_secret_and_the_bounds_of_its_node() -> None:
    site = Site()
    transport = EgressTransport(site.fetch, CALL)

    response = await transport.handle_async_request(
        request(accept="text/plain", authorization="no")
    )
    body = await response.aread()

    (call,) = site.calls
    headers = dict(call.headers)
    assert (headers["Authorization"], headers["accept"]) == ("Bearer t", "text/plain")
    assert "authorization" not in headers and "host" not in headers
    assert (call.max_bytes, call.body) == (77, b"{}") and 5 <= call.timeout_seconds <= 6
    assert (response.status_code, body) == (200, b'{"id":1}')
    assert "content-encoding" not in response.headers and response.headers["x-a"] == "1"


async def test_a_stream_of_news_is_not_opened_and_one_to_go_on_is() -> None:
    site = Site()
    transport = EgressTransport(site.fetch, CALL)

    news = await transport.handle_async_request(request("GET"))
    rest = await transport.handle_async_request(request("GET", last_event_id="7"))
    await rest.aclose()

    assert news.status_code == 405 and rest.status_code == 200
    assert len(site.calls) == 1


async def test_after_a_failure_no_call_is_made() -> None:
    site = Site(status=0)
    transport = EgressTransport(site.fetch, CALL)

    first = await transport.handle_async_request(request())
    second = await transport.handle_async_request(request())

    assert (first.status_code, second.status_code) == (502, 502)
    assert len(site.calls) == 1
    assert isinstance(transport.failure, NodeFailed)


async def test_a_body_that_breaks_off_ends_with_an_error_that_the_library_handles() -> None:
    site = Site(pieces=(b'data: {"id": 1}\n\n',))
    site.kind = "text/event-stream"
    site.failure = NodeFailed("response_too_large", "too large")
    transport = EgressTransport(site.fetch, CALL)

    response = await transport.handle_async_request(request())
    with pytest.raises(httpx2.StreamError):
        await response.aread()

    assert transport.failure is site.failure


async def test_a_failed_answer_is_kept_with_the_beginning_of_its_body() -> None:
    site = Site(status=500, pieces=(b"x" * 60_000, b"y" * 60_000, b"z"))
    transport = EgressTransport(site.fetch, CALL)

    response = await transport.handle_async_request(request())

    assert await response.aread() == b"{"
    assert transport.answer is not None and len(transport.answer.body) == 65_536


async def test_the_rest_of_a_stream_is_left_when_its_reader_goes() -> None:
    site = Site(pieces=(b'data: {"id": 1}\n\n',))
    site.is_endless, site.kind = True, "text/event-stream"
    transport = EgressTransport(site.fetch, CALL)
    response = await transport.handle_async_request(request())

    await response.aclose()
    await transport.aclose()

    assert site.was_cancelled and transport.failure is None


async def test_the_failure_of_a_goodbye_is_none() -> None:
    site = Site(status=0)
    transport = EgressTransport(site.fetch, CALL)

    await transport.handle_async_request(request("DELETE"))

    assert transport.failure is None and site.calls[0].timeout_seconds <= 2
