"""A connection by itself: what it holds, and what it believes."""

import asyncio
import gc
import sys
from collections.abc import Iterator

import pytest
from yarl import URL

from engine.nodes.support.base import HttpCall
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.http.late_server import LateServer
from tests.support.http.raw_server import OK, Holding, Stub, failure, serving, serving_apart
from workers.outbound.client import Egress
from workers.outbound.connection import OutboundConnection
from workers.outbound.exchange import make_request, send


@pytest.fixture
def late() -> Iterator[LateServer]:
    with serving_apart(LateServer()) as late:
        yield late


def get(stub: Stub) -> HttpCall:
    return HttpCall(method="GET", url=stub.url, account_id="acc", timeout_seconds=PATIENCE_SECONDS)


async def test_an_answer_that_comes_before_the_server_has_the_call_is_none(
    stub: Stub, egress: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    await egress.fetch(get(stub))
    monkeypatch.setattr("workers.outbound.connection.acknowledged_bytes", lambda sock: 1)

    failed = await failure(egress, get(stub))

    assert (failed.code, failed.retryable, failed.may_have_arrived) == ("bad_response", True, True)


async def test_where_the_kernel_counts_nothing_answers_are_believed(
    stub: Stub, egress: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.outbound.connection.acknowledged_bytes", lambda sock: None)

    for _ in range(2):
        assert (await egress.fetch(get(stub))).body == b"ok"

    assert stub.connections == 1


async def connections(egress: Egress) -> list[OutboundConnection]:
    return list(egress._pool._keys)


async def test_an_idle_connection_holds_nothing_of_its_last_call(
    late: LateServer, egress: Egress
) -> None:
    await egress.fetch(get(late))

    [connection] = await connections(egress)
    held = {name: getattr(connection, name) for name in OutboundConnection.__slots__}
    assert [name for name in ("_parser", "_head", "_body", "_writing") if held[name]] == []
    assert sys.getsizeof(connection) < 300

    late.send(OK * 1_000)
    await eventually(lambda: connections(egress), lambda found: not found)
    gc.collect()
    assert sys.getrefcount(connection) <= 4


@pytest.mark.parametrize("size", [65_536, 65_537, 3_000_000])
async def test_a_large_request_arrives_whole(stub: Stub, egress: Egress, size: int) -> None:
    body = bytes(index % 251 for index in range(size))

    for _ in range(2):
        call = HttpCall(method="POST", url=stub.url, account_id="acc", body=body)
        await egress.fetch(call)

    assert all(request.endswith(b"\r\n\r\n" + body) for request in stub.requests)
    assert stub.connections == 1


async def test_a_caller_that_gives_up_leaves_no_connection() -> None:
    async with serving(Holding(b"HTTP/1.1 200 OK\r\n")) as holding:
        egress = Egress(allow_private=True)
        call = asyncio.create_task(egress.fetch(get(holding)))
        await holding.has_begun.wait()

        call.cancel()

        await holding.has_gone.wait()
        await eventually(lambda: connections(egress), lambda found: not found)
        await egress.close()


async def test_an_answer_that_is_not_read_to_its_end_closes_the_connection(
    stub: Stub, egress: Egress
) -> None:
    stub.reply = [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"a body..."]
    stub.pause = 0.02

    response = await send(egress._pool, make_request("GET", URL(stub.url), (), None), "acc")
    response.end()

    assert not egress._pool._idle
