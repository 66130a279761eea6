"""New connections: addresses in turn, and nothing left of those that fail."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.nodes.support.base import HttpCall
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.http.raw_server import Stub, failure
from tests.support.process.event_loops import Loop
from workers.outbound.client import Egress


@pytest.fixture(scope="module", params=[Loop, None], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": request.param}


@pytest.fixture
async def silent() -> AsyncIterator[int]:
    """The port of a server that takes connections and never says anything."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let every name have these addresses."""

    def install(*addresses: str) -> None:
        def look_up(*_: object, **__: object) -> list[Any]:
            return [(0, 0, 0, "", (address, 0)) for address in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return install


def get(scheme: str, host: str, port: int, seconds: float = PATIENCE_SECONDS) -> HttpCall:
    return HttpCall(method="GET", url=f"{scheme}://{host}:{port}/", timeout_seconds=seconds)


async def files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


async def test_connections_that_fail_or_are_given_up_leave_no_file(
    egress: Egress, silent: int, stub: Stub
) -> None:
    stub.then_close = True
    calls = [
        get("http", "127.0.0.1", 1),
        get("http", "127.0.0.1", silent, 0.1),
        get("https", "127.0.0.1", silent, 0.1),
        get("https", "127.0.0.1", stub.port),
    ]
    before = await files()

    failed = await asyncio.gather(*(failure(egress, call) for call in calls * 10))

    assert {each.code for each in failed} == {"connection_failed", "timeout"}
    await eventually(files, lambda count: count <= before)


async def test_the_next_address_is_tried_when_one_refuses(
    egress: Egress, stub: Stub, looked_up: Callable[..., None]
) -> None:
    looked_up("127.0.0.9", "127.0.0.1")

    got = await egress.fetch(get("http", "name.example", stub.port))

    assert got.body == b"ok"
    assert f"Host: name.example:{stub.port}\r\n".encode() in stub.requests[0]


async def test_all_addresses_together_have_one_time_limit(
    egress: Egress, silent: int, looked_up: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.outbound.connecting.CONNECT_SECONDS", 0.1)
    looked_up("127.0.0.1", "127.0.0.1", "127.0.0.1")

    failed = await failure(egress, get("https", "name.example", silent))

    assert (failed.code, failed.retryable) == ("connection_failed", True)
    assert "in time" in failed.message


async def test_one_denied_address_refuses_the_others(
    one_host: Egress, stub: Stub, looked_up: Callable[..., None]
) -> None:
    looked_up("127.0.0.1", "10.0.0.1")

    failed = await failure(one_host, get("http", "name.example", stub.port))

    assert (failed.code, stub.connections) == ("url_blocked", 0)
