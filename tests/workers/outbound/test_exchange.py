"""Exchanges of HTTP/1.1: requests as they go out, and the connections that they use."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from yarl import URL

from tests.support.eventually import eventually
from tests.support.http.raw_server import Stub
from workers.outbound.address_gate import AddressGate
from workers.outbound.connecting import Connector
from workers.outbound.dns import NameResolver
from workers.outbound.exchange import make_request, send
from workers.outbound.pool import ConnectionPool

BODY = b"x" * 200_000


@pytest.fixture
async def pool() -> AsyncIterator[ConnectionPool]:
    lookups = NameResolver()
    pool = ConnectionPool(Connector(AddressGate(allow_private=True), lookups))
    yield pool
    await pool.close()
    lookups.close()


def head(method: str, url: str, *headers: tuple[str, str], body: bytes | None = None) -> list[str]:
    lines = make_request(method, URL(url), headers, body).head.decode().split("\r\n")
    assert lines[-2:] == ["", ""]
    return lines[:-2]


def test_a_request_has_the_headers_that_every_one_has() -> None:
    assert head("GET", "http://example.com/a?b=%20c") == [
        "GET /a?b=%20c HTTP/1.1",
        "Host: example.com",
        "Accept-Encoding: identity",
        "User-Agent: Headrace",
        "Accept: */*",
    ]


def test_headers_of_an_author_come_as_they_are_and_instead_of_usual_ones() -> None:
    given = (("accept", "text/html"), ("X-A", "1"), ("X-A", "é"), ("USER-AGENT", "me"))

    assert head("GET", "http://example.com:81", *given) == [
        "GET / HTTP/1.1",
        "Host: example.com:81",
        "Accept-Encoding: identity",
        *[f"{name}: {value}" for name, value in given],
    ]


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", None, None),
        ("HEAD", None, None),
        ("OPTIONS", None, None),
        ("GET", b"", "0"),
        ("GET", b"abc", "3"),
        ("POST", None, "0"),
        ("DELETE", None, "0"),
        ("PUT", b"abc", "3"),
    ],
)
def test_the_length_of_a_body_is_announced(
    method: str, body: bytes | None, length: str | None
) -> None:
    lines = head(method, "http://example.com/", body=body)

    announced = [line for line in lines if line.startswith("Content-Length: ")]
    assert announced == ([] if length is None else [f"Content-Length: {length}"])


@pytest.mark.parametrize("method", ["", "GET /", "GET\r\nX: y", "GÉT"])
def test_a_method_that_is_no_token_is_refused(method: str) -> None:
    with pytest.raises(ValueError, match="method"):
        head(method, "http://example.com/")


@pytest.mark.parametrize("text", ["a\r\nb: c", "a\nb", "a\rb"])
def test_a_line_break_in_a_header_is_refused(text: str) -> None:
    for name, value in (("X", text), (text, "x")):
        with pytest.raises(ValueError, match="line break"):
            head("GET", "http://example.com/", (name, value))


async def fetch(pool: ConnectionPool, url: str, *, reads: bool = True) -> bytes:
    response = await send(pool, make_request("GET", URL(url), (), None), "acc")
    body = await response.content.read() if reads else b""
    response.end()
    return body


async def test_a_connection_is_used_again_once_its_answer_is_there(
    stub: Stub, pool: ConnectionPool
) -> None:
    assert await fetch(pool, stub.url) == b"ok"
    assert await fetch(pool, stub.url) == b"ok"

    assert (len(stub.requests), stub.connections) == (2, 1)


async def test_a_connection_is_closed_while_more_of_an_answer_may_come(
    stub: Stub, pool: ConnectionPool
) -> None:
    stub.reply = [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"]
    await fetch(pool, stub.url, reads=False)
    stub.reply = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]

    assert await fetch(pool, stub.url) == b"ok"
    assert stub.connections == 2


@contextlib.asynccontextmanager
async def answering_early(closed: list[bool]) -> AsyncIterator[str]:
    """Run a server that reads heads only, answers, and notes that its client has gone."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        with contextlib.suppress(ConnectionError):
            while await reader.read(65_536):
                await asyncio.sleep(0.001)
        closed.append(True)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=65_536)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_an_answer_may_come_before_the_whole_request_has_gone_out(
    pool: ConnectionPool,
) -> None:
    closed: list[bool] = []
    async with answering_early(closed) as url:
        request = make_request("POST", URL(url), (), BODY * 200)
        response = await send(pool, request, "acc")
        assert (response.status, await response.content.read()) == (413, b"no")
        assert not closed
        response.end()
        assert not pool._idle
        await eventually(lambda: _return(closed))


async def _return(value: list[bool]) -> list[bool]:
    return value


async def test_who_stops_waiting_for_an_answer_closes_the_connection(
    stub: Stub, pool: ConnectionPool
) -> None:
    stub.reply, stub.pause = [b""], 60
    request = make_request("POST", URL(stub.url), (), BODY)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(send(pool, request, "acc"), 0.1)
    stub.reply, stub.pause = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"], 0

    assert await fetch(pool, stub.url) == b"ok"
    assert stub.connections == 2
