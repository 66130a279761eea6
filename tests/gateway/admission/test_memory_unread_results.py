"""Large results that callers do not read: their memory in a gateway is bounded."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator

import httpx2
import pytest

from engine.executions.statuses import ExecutionStatus
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis.record_packing import pack
from gateway.admission import memory
from gateway.http.listener import bind
from gateway.http.protocol import GatewayProtocol
from tests.engine.store.executions.test_offload import ended
from tests.gateway.conftest import Gateway
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.http.sse_reader import parse
from tests.support.redis.installation import SECRET_KEY
from tests.support.store.records import BOTH_DONE, save
from tests.support.store.watched_runs import Run

pytestmark = pytest.mark.A91b

SIZE = 6_000_000
"""A text longer than sockets hold."""
TEXT = "x" * SIZE
MOST = memory.SHARES * 2 * len(pack(TEXT))
"""Memory of all accounts: one of them has that of two such results."""
WAIT_SECONDS = 0.3
UNREAD_SECONDS = 600.0
"""Time after which a socket that does not read is cut off: longer than a test lasts."""
CUT_SECONDS = 0.2
"""The same where a test waits for that."""
GATEWAY = f"""
import socket, sys, uvloop
from engine.settings import load
from gateway.admission import memory
from gateway.http.protocol import GatewayProtocol
from gateway.server import serve
memory.MAX_BYTES, memory.WAIT_SECONDS = {MOST}, {WAIT_SECONDS}
GatewayProtocol.unread_seconds = {UNREAD_SECONDS}
sys.exit(uvloop.run(serve(load(), bound=socket.socket(fileno=int(sys.argv[1])))))
"""


CROWD = 25
MOST_GROWTH = 80
"""Megabytes; 25 such results alone are 150, and each took twice its size before."""


@contextlib.asynccontextmanager
async def gateway_process(settings: Settings) -> AsyncIterator[tuple[tuple[str, int], int]]:
    """Yield the address and the process id of a gateway in a process of its own."""
    bound = bind("127.0.0.1", 0)
    bound.listen()
    environ = {
        **os.environ,
        "HEADRACE_REDIS_URL": settings.redis_url,
        "HEADRACE_MEDIA_URL": settings.media_url,
        "HEADRACE_SECRET_KEY": SECRET_KEY,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", GATEWAY, str(bound.fileno())),
        pass_fds=[bound.fileno()],
        env=environ,
    )
    try:
        yield bound.getsockname(), process.pid
    finally:
        process.terminate()
        await process.wait()
        bound.close()


def megabytes(process_id: int) -> int:
    """Return the resident memory of a process."""
    reported = subprocess.check_output(["ps", "-o", "rss=", "-p", str(process_id)])
    return int(reported) // 1_024


async def has_begun(address: tuple[str, int]) -> bool:
    """Return whether a gateway answers there."""
    async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        answer = await client.get("http://{}:{}/healthz".format(*address))
    return answer.status_code == 200


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each account memory for two such results."""
    monkeypatch.setattr(memory, "MAX_BYTES", MOST)
    monkeypatch.setattr(memory, "WAIT_SECONDS", WAIT_SECONDS)
    monkeypatch.setattr(GatewayProtocol, "unread_seconds", UNREAD_SECONDS)


def wait_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let those wait who must get memory, however late a busy machine notices that it is free."""
    monkeypatch.setattr(memory, "WAIT_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
async def execution_id(store: Store, account: Account) -> str:
    return await ended(store, account, TEXT)


class Readers:
    """Sockets that send requests and do not read."""

    def __init__(self, address: tuple[str, int], api_key: str) -> None:
        self._address = address
        self._api_key = api_key
        self.sockets: list[socket.socket] = []

    async def send(self, path: str, count: int) -> list[socket.socket]:
        """Open so many more; each has received the head of its answer."""
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {self._api_key}\r\n\r\n".encode()
        return await asyncio.gather(*(self._ask(head) for _ in range(count)))

    async def _ask(self, head: bytes) -> socket.socket:
        loop, connection = asyncio.get_running_loop(), socket.socket()
        self.sockets.append(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.setblocking(False)
        await loop.sock_connect(connection, self._address)
        await loop.sock_sendall(connection, head)
        return connection

    def close(self) -> None:
        """Close all of them."""
        for connection in self.sockets:
            connection.close()


async def begin(connection: socket.socket) -> bytes:
    """Return the first bytes of the answer."""
    loop = asyncio.get_running_loop()
    return await loop.sock_recv(connection, 12)


async def reach(connection: socket.socket, word: bytes) -> None:
    """Read up to a text."""
    received = bytearray()
    while word not in received:
        piece = await asyncio.get_running_loop().sock_recv(connection, 1_024)
        assert piece, received
        received += piece


async def rest(connection: socket.socket) -> bytes:
    """Return the remaining bytes of the answer."""
    loop, received = asyncio.get_running_loop(), bytearray()
    while piece := await loop.sock_recv(connection, 65_536):
        received += piece
        if received.endswith(b"\r\n0\r\n\r\n"):
            break
    return bytes(received)


@pytest.fixture
async def readers(gateway: Gateway, api_key: str) -> AsyncIterator[Readers]:
    url = httpx2.URL(gateway.url)
    readers = Readers((url.host, url.port or 0), api_key)
    yield readers
    readers.close()


def cut_off(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off those that do not read, and nobody else: others may be slow on a busy machine."""

    def unread_seconds(protocol: GatewayProtocol) -> float:
        ports = [connection.getsockname()[1] for connection in readers.sockets]
        return CUT_SECONDS if protocol.client[1] in ports else UNREAD_SECONDS

    monkeypatch.setattr(GatewayProtocol, "unread_seconds", property(unread_seconds))


async def fill(readers: Readers, execution_id: str) -> None:
    """Use up the memory."""
    full = await readers.send(f"/api/executions/{execution_id}", 2)
    assert [await begin(each) for each in full] == [b"HTTP/1.1 200"] * 2


async def test_who_finds_no_memory_for_a_result_in_time_is_told_to_come_again(
    client: httpx2.AsyncClient, readers: Readers, execution_id: str
) -> None:
    await fill(readers, execution_id)

    refused = await client.get(f"/api/executions/{execution_id}")
    listed = await client.get("/api/executions")

    sentence = "Too many large results are being read right now"
    body = {"error": sentence, "code": "UNAVAILABLE"}
    assert (refused.status_code, listed.status_code) == (503, 503)
    assert refused.json() == body | {"executionId": execution_id}
    assert listed.json() == body
    assert int(refused.headers["retry-after"]) > 0 < int(listed.headers["retry-after"])


async def test_a_stream_that_finds_no_memory_ends_before_that_event_and_is_taken_up_again(
    client: httpx2.AsyncClient,
    readers: Readers,
    execution_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await fill(readers, execution_id)
    path = f"/api/executions/{execution_id}/events"

    early = parse((await client.get(path)).text)
    readers.close()
    wait_long(monkeypatch)
    later = parse((await client.get(path, headers={"last-event-id": early[-1].id})).text)

    assert early and "execution.finished" not in [sent.name for sent in early]
    assert [sent.name for sent in later] == ["execution.finished"]
    assert later[0].data["result"] == TEXT


@pytest.mark.parametrize("path", ["", "/events"])
@pytest.mark.parametrize("is_cut", [False, True], ids=["hangs up", "is hung up on"])
async def test_who_waits_gets_the_memory_of_those_who_are_gone(
    client: httpx2.AsyncClient,
    readers: Readers,
    execution_id: str,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    is_cut: bool,
) -> None:
    wait_long(monkeypatch)
    if is_cut:
        cut_off(readers, monkeypatch)
    held = await readers.send(f"/api/executions/{execution_id}{path}", 2)
    await asyncio.gather(*(begin(each) for each in held))

    waiting = [asyncio.create_task(client.get(f"/api/executions/{execution_id}")) for _ in range(4)]
    if not is_cut:
        readers.close()
    answers = await asyncio.gather(*waiting)

    assert [answer.json()["result"] == TEXT for answer in answers] == [True] * 4


async def test_watchers_who_hang_up_while_they_wait_leave_the_line(
    client: httpx2.AsyncClient,
    readers: Readers,
    execution_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wait_long(monkeypatch)
    await fill(readers, execution_id)
    waiting = await readers.send(f"/api/executions/{execution_id}/events", 3)
    await asyncio.gather(*(begin(each) for each in waiting))

    readers.close()
    answers = [await client.get(f"/api/executions/{execution_id}") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3


@pytest.mark.parametrize("path", ["", "/events"])
async def test_a_result_that_is_larger_as_json_counts_as_that(
    client: httpx2.AsyncClient,
    readers: Readers,
    store: Store,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    escaped = await ended(store, account, "\0" * (SIZE // 2))  # six bytes of JSON each
    (held,) = await readers.send(f"/api/executions/{escaped}{path}", 1)
    await reach(held, b'"result":"')

    refused = await client.get(f"/api/executions/{escaped}")
    readers.close()
    wait_long(monkeypatch)
    later = await client.get(f"/api/executions/{escaped}")

    assert (refused.status_code, later.status_code) == (503, 200)


async def test_small_results_need_none_of_it(
    client: httpx2.AsyncClient,
    readers: Readers,
    execution_id: str,
    store: Store,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(store, account, await save(store, account, "Small"))
    await run.accept()
    await run.claim()
    await run.step(settled=BOTH_DONE, end=ExecutionStatus.COMPLETED, result=pack("x"))
    await fill(readers, execution_id)

    read = await client.get(f"/api/executions/{run.id}")
    listed = await client.get("/api/executions", params={"workflowSlug": "small"})
    watched = parse((await client.get(f"/api/executions/{run.id}/events")).text)

    assert (read.status_code, read.json()["result"]) == (200, "x")
    assert (listed.status_code, listed.json()["rows"][0]["result"]) == (200, "x")
    assert watched[-1].data["result"] == "x"


async def test_memory_is_bounded_however_many_do_not_read(
    settings: Settings, store: Store, execution_id: str, api_key: str
) -> None:
    async with gateway_process(settings) as (address, process_id):
        readers = Readers(address, api_key)
        await eventually(lambda: has_begun(address))
        before = megabytes(process_id)
        plain = await readers.send(f"/api/executions/{execution_id}", CROWD)
        heads = await asyncio.gather(*(begin(each) for each in plain))
        streams = await readers.send(f"/api/executions/{execution_id}/events", CROWD)
        bodies = await asyncio.gather(*(rest(each) for each in streams))
        after = megabytes(process_id)
        readers.close()

    assert sorted(set(heads)) == [b"HTTP/1.1 200", b"HTTP/1.1 503"]
    assert heads.count(b"HTTP/1.1 200") == 2
    assert [b"execution.finished" in each for each in bodies] == [False] * CROWD
    assert after - before < MOST_GROWTH
