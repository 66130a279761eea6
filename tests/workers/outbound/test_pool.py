"""Kept connections: by account and origin, bounded, and closed when anything comes on them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
from yarl import URL

from engine.nodes.support.base import HttpCall
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.http.late_server import LateServer
from tests.support.http.raw_server import OK, Holding, Stub, answer, failure, serving, serving_apart
from workers.outbound import pool as pool_module
from workers.outbound.address_gate import AddressGate
from workers.outbound.client import Egress
from workers.outbound.connecting import Connector, Origin
from workers.outbound.connection import OutboundConnection, UnaskedData
from workers.outbound.dns import NameResolver
from workers.outbound.exchange import make_request, send
from workers.outbound.pool import ConnectionPool, PoolKey

LATE = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen"
FIRST = {
    "200": ("GET", OK),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "304": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\n"),
    "HEAD": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"),
}
TIMES = 12


@pytest.fixture
def late() -> Iterator[LateServer]:
    with serving_apart(LateServer()) as late:
        yield late


def call(stub: Stub, account_id: str, path: str = "/", method: str = "GET") -> HttpCall:
    return HttpCall(
        method=method, url=stub.url + path, account_id=account_id, timeout_seconds=PATIENCE_SECONDS
    )


# -- answers of others ----------------------------------------------------------------------------


@pytest.mark.A90
@pytest.mark.parametrize("account", ["acc", "other"])
@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("data", [LATE, b"H", b"\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
async def test_bytes_on_an_idle_connection_close_it_and_are_nobodys_answer(
    late: LateServer, egress: Egress, first: str, account: str, data: bytes
) -> None:
    method, late.pages["/first"] = FIRST[first]

    for number in range(TIMES):
        await egress.fetch(call(late, "acc", "/first", method))
        late.send(data)
        late.pages[f"/{number}"] = answer("Content-Length: 3", body=b"%3d" % number)[0]
        if number % 2:  # else the bytes wait in the kernel when the next call begins
            await eventually(lambda: _return(late.ended), lambda count: count > 0)
        got = await egress.fetch(call(late, account, f"/{number}"))
        assert got.body == b"%3d" % number

    await eventually(lambda: _return(late.ended), lambda count: count >= TIMES)


async def _return(value: int) -> int:
    return value


@pytest.mark.A90
async def test_what_has_come_is_not_kept_however_much_it_is(
    late: LateServer, egress: Egress
) -> None:
    await egress.fetch(call(late, "acc"))

    late.send(LATE * 100_000)

    await eventually(lambda: _return(late.ended))


@pytest.mark.A90
async def test_an_account_uses_no_connection_of_another(stub: Stub, egress: Egress) -> None:
    for account in ("a", "b", "", "a", "b", ""):
        await egress.fetch(call(stub, account))

    assert stub.connections == 3


async def test_a_connection_serves_one_origin(stub: Stub, egress: Egress) -> None:
    async with serving(Stub()) as other:
        for server in (stub, other, stub, other):
            await egress.fetch(call(server, "acc"))

    assert (stub.connections, other.connections) == (1, 1)


@pytest.mark.A90
async def test_a_server_that_speaks_first_is_not_believed(egress: Egress) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(LATE)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        pool = make_pool()
        connection = await pool.acquire(PoolKey("acc", Origin("http", "127.0.0.1", port)))
        await eventually(lambda: _return(not connection.connected))
        with pytest.raises(UnaskedData):
            connection.begin(b"", None, is_head_call=False)
        await pool.close()


# -- what the protocol says -----------------------------------------------------------------------


@pytest.mark.A90
@pytest.mark.parametrize(
    "reply",
    [
        answer("Connection: close", "Content-Length: 2", body=b"ok"),
        answer("Connection: Keep-Alive, Close", "Content-Length: 2", body=b"ok"),
        [b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"],
        [b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"],
        answer("Content-Length: 5", status="204 No Content"),
        answer("Transfer-Encoding: chunked", status="204 No Content"),
        [b"HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\nok" + OK],
        [b"HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n" + OK],
        [b"HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n" + OK],
        [b"HTTP/1.0 100 Continue\r\n\r\n" + OK],
        [OK + OK],
        [OK + b"H"],
        [OK + b"HTTP/1.1 200 OK\r\nContent-"],
        [OK + b"HTTP/1.1 103 Early Hints\r\n\r\n"],
        [b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nHT"],
    ],
    ids=repr,
)
async def test_a_connection_with_a_doubt_takes_no_further_call(
    stub: Stub, egress: Egress, reply: list[bytes]
) -> None:
    stub.pages["/first"] = reply[0]

    try:
        await egress.fetch(call(stub, "acc", "/first"))
    except Exception as error:
        assert getattr(error, "code", "") == "bad_response"
    got = await egress.fetch(call(stub, "acc"))

    assert (got.body, stub.connections) == (b"ok", 2)


@pytest.mark.parametrize(
    ("method", "reply"),
    [
        *FIRST.values(),
        ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
        ("GET", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK),
        ("GET", answer("Transfer-Encoding: chunked", body=b"2\r\nok\r\n0\r\n\r\n")[0]),
        ("HEAD", answer("Transfer-Encoding: chunked")[0]),
        ("GET", answer("Connection: keep-alive", "Content-Length: 0")[0]),
    ],
)
async def test_a_connection_whose_answer_has_ended_takes_a_further_call(
    stub: Stub, egress: Egress, method: str, reply: bytes
) -> None:
    stub.pages["/first"] = reply

    await egress.fetch(call(stub, "acc", "/first", method))
    got = await egress.fetch(call(stub, "acc"))

    assert (got.body, stub.connections) == (b"ok", 1)


async def test_a_call_that_asks_for_the_end_is_the_last_one(stub: Stub, egress: Egress) -> None:
    closing = HttpCall(method="GET", url=stub.url, account_id="acc", keep_alive=False)

    for _ in range(2):
        await egress.fetch(closing)

    assert b"Connection: close\r\n" in stub.requests[0]
    assert stub.connections == 2


# -- bounds ---------------------------------------------------------------------------------------


def make_pool(limit: int | None = None) -> ConnectionPool:
    return ConnectionPool(Connector(AddressGate(allow_private=True), NameResolver()), limit)


@pytest.fixture
async def pool_of_four() -> AsyncIterator[ConnectionPool]:
    pool = make_pool(4)
    yield pool
    await pool.close()


def key(stub: Stub, account_id: str) -> PoolKey:
    return PoolKey(account_id, Origin("http", stub.host, stub.port))


async def test_an_account_keeps_an_eighth_of_the_connections(stub: Stub) -> None:
    pool = make_pool(16)
    stub.pause = 0.05
    request = make_request("GET", URL(stub.url), (), None)

    answers = await asyncio.gather(*(send(pool, request, "acc") for _ in range(6)))
    for each in answers:
        each.end()

    assert (stub.connections, len(pool._idle_since)) == (6, 2)
    await pool.close()


async def test_a_quarter_is_kept_and_the_oldest_is_closed_for_a_new_one(stub: Stub) -> None:
    pool = make_pool(16)
    request = make_request("GET", URL(stub.url), (), None)

    for number in range(6):
        (await send(pool, request, f"acc_{number}")).end()

    assert [each.account_id for each in pool._idle] == [f"acc_{n}" for n in range(2, 6)]
    await pool.close()


@pytest.mark.parametrize("files", [1_024, 20_000])
async def test_two_pools_with_all_their_connections_have_enough_files(
    files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module.resource, "getrlimit", lambda _: (files, files))
    limit = make_pool()._limit

    assert 2 * (limit + limit * pool_module.IDLE_SHARE) <= files - pool_module.RESERVED_FILES
    assert limit > files / 4


async def test_the_connections_in_use_are_bounded_for_an_account_and_in_all(
    stub: Stub, pool_of_four: ConnectionPool
) -> None:
    held = [await pool_of_four.acquire(key(stub, "a")) for _ in range(3)]
    fourth = asyncio.create_task(pool_of_four.acquire(key(stub, "a")))
    other = await pool_of_four.acquire(key(stub, "b"))
    another = asyncio.create_task(pool_of_four.acquire(key(stub, "c")))
    await asyncio.sleep(0.05)
    assert not fourth.done() and not another.done()

    pool_of_four.release(other, key(stub, "b"), is_done=True)

    assert isinstance(await another, OutboundConnection)
    assert not fourth.done()
    pool_of_four.release(held[0], key(stub, "a"), is_done=True)
    assert isinstance(await fourth, OutboundConnection)


async def test_a_connection_that_fails_leaves_its_place(pool_of_four: ConnectionPool) -> None:
    nowhere = PoolKey("acc", Origin("http", "127.0.0.1", 1))

    for _ in range(8):
        with pytest.raises(OSError, match="^$"):
            await pool_of_four.acquire(nowhere)


async def test_an_idle_connection_is_closed_after_a_while(
    late: LateServer, egress: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.outbound.pool.KEEP_ALIVE_SECONDS", 0.05)

    for account in ("a", "b"):
        await egress.fetch(call(late, account))

    await eventually(lambda: _return(late.ended), lambda count: count == 2)


async def test_a_client_that_closes_closes_idle_connections_and_those_in_use() -> None:
    async with serving(Holding(b"")) as holding, serving(Stub()) as stub:
        egress = Egress(allow_private=True)
        await egress.fetch(call(stub, "acc"))
        waiting = asyncio.create_task(failure(egress, call(holding, "acc")))
        await holding.has_begun.wait()

        await egress.close()

        assert not egress._pool._keys
        assert (await waiting).code == "connection_failed"
        await holding.has_gone.wait()
