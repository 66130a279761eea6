"""Peers that send or read as slowly as possible, and their effect on others."""

import contextlib
import json
import resource
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from starlette.types import Receive, Scope, Send

from gateway.http.middleware import BodyLimits, Errors, RequestIds
from gateway.http.protocol import GatewayProtocol
from tests.gateway.http.test_protocol import CHUNKED, Recorder
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.gateway.fake_worker import keep_error
from tests.support.gateway.raw_requests import statuses
from tests.support.gateway.served_app import read_to_end, serving
from tests.support.process.cpu_time import cpu_time

MAX_BYTES = 200_000
CROWD = 500
LARGE = 8_000_000
GET = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"


class Impatient(GatewayProtocol):
    """The protocol with short times."""

    head_seconds = 1.5
    rest_seconds = 0.3
    unread_seconds = 2.0


@dataclass
class Large(Recorder):
    """Answers `/large` with more than sockets hold, in pieces; other paths as its parent."""

    given: list[int] = field(default_factory=list)
    bodies: list[int] = field(default_factory=list)
    has_ended: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] != "/large":
            await super().__call__(scope, receive, send)
            return
        headers = [(b"content-length", str(LARGE).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            for _ in range(LARGE // 100_000):
                message = {"type": "http.response.body", "body": bytes(100_000), "more_body": True}
                await send(message)
                self.given.append(100_000)
            await send({"type": "http.response.body", "body": b""})
        finally:
            self.has_ended.set()

    async def _size(self, receive: Receive) -> int:
        self.bodies.append(0)
        while True:
            message = await receive()
            self.bodies[-1] += len(message.get("body", b""))
            if not message.get("more_body", False):
                return self.bodies[-1]


@dataclass(frozen=True)
class Server:
    address: tuple[str, int]
    app: Large

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=PATIENCE_SECONDS)


@contextlib.contextmanager
def served(body_seconds: float) -> Iterator[Server]:
    """Run a server that waits this long for a body."""
    app = Large()
    limited = BodyLimits(app, max_bytes=MAX_BYTES, seconds=body_seconds)
    with serving(RequestIds(Errors(limited, keep_error)), Impatient) as address:
        yield Server(address, app)


@pytest.fixture
def server() -> Iterator[Server]:
    with served(PATIENCE_SECONDS) as server:
        yield server


@pytest.fixture
def hasty_server() -> Iterator[Server]:
    with served(body_seconds=1.0) as server:
        yield server


@pytest.mark.A27
def test_who_does_not_read_its_answer_is_hung_up_on(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(GET % b"large" * 3)
        assert server.app.has_ended.wait(PATIENCE_SECONDS)
        received = len(read_to_end(connection))

    assert received < LARGE


def test_who_reads_slowly_gets_all_of_it(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(GET % b"large")
        received = 0
        while received < LARGE:
            piece = connection.recv(400_000)
            assert piece
            received += len(piece)
            time.sleep(0.02)
        time.sleep(1.2 * Impatient.unread_seconds)
        connection.sendall(GET % b"first")
        later = connection.recv(4_096)

    assert statuses(later) == [200]
    assert sum(server.app.given) == LARGE


@pytest.mark.A28
def test_a_body_that_drips_in_is_cut_off(hasty_server: Server) -> None:
    head = b"POST /first HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    began = time.monotonic()
    with hasty_server.connect() as connection:
        connection.sendall(head)
        connection.settimeout(0.02)
        received = b""
        while not received and time.monotonic() - began < 15:  # the whole answer would take 20 s
            connection.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                received = connection.recv(4_096)

    assert statuses(received) == [408]
    assert json.loads(received.partition(b"\r\n\r\n")[2])["code"] == "REQUEST_TIMEOUT"


@pytest.mark.A28
@pytest.mark.parametrize("size", [1, 100, 65_000])
def test_a_body_without_end_is_refused_at_the_limit_and_closed(server: Server, size: int) -> None:
    chunk = b"%x\r\n%s\r\n" % (size, b"x" * size)
    began = time.monotonic()
    with server.connect() as connection:
        connection.sendall(CHUNKED)
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - began < 30:
                connection.sendall(chunk * max(1, 4_000 // size))
        received = read_to_end(connection)

    assert statuses(received) == [413]
    assert server.app.bodies[0] <= MAX_BYTES


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8_192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def cost(server: Server) -> float:
    """Return CPU seconds that nineteen of twenty calls cost at most, here and in the server.

    Unlike wall times, they do not depend on the other load of the machine.
    """
    costs = []
    with server.connect() as connection:
        for _ in range(200):
            with cpu_time() as measured:
                connection.sendall(GET % b"first")
                assert statuses(connection.recv(4_096)) == [200]
            costs.append(measured.seconds)
    return sorted(costs)[190]


@pytest.mark.A28
def test_a_crowd_that_dawdles_keeps_nobody_waiting(server: Server, many_files: None) -> None:
    alone = min(cost(server) for _ in range(3))
    with contextlib.ExitStack() as held:
        crowd = []
        for number in range(CROWD):
            crowd.append(held.enter_context(server.connect()))
            crowd[-1].sendall((GET % b"first")[: 1 + number % 20])
        among = min(cost(server) for _ in range(3))
        ends = [statuses(read_to_end(connection)) for connection in crowd]

    assert among <= 2 * alone + 0.002
    assert ends == [[408]] * CROWD
