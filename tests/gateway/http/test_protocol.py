"""Malformed HTTP over raw sockets, and its refusals."""

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from starlette.types import Receive, Scope, Send

from gateway.http.middleware import BodyLimits, Errors, RequestIds
from gateway.http.protocol import MAX_HEAD_BYTES, GatewayProtocol
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.gateway.fake_worker import keep_error
from tests.support.gateway.served_app import exchange, read_to_end, serving

HOST = b"Host: x\r\n"
SECOND = b"GET /second HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST /first HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
PLAIN = b"GET /first HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /second HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n"


@dataclass
class Recorder:
    """An application that reads each body, remembers the request and answers with its length."""

    paths: list[str] = field(default_factory=list)
    headers: list[list[tuple[bytes, bytes]]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        self.paths.append(scope["path"])
        self.headers.append(list(scope["headers"]))
        size = 0
        if scope["path"] != "/unread":
            size = await self._size(receive)
        body = str(size).encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _size(self, receive: Receive) -> int:
        size, has_more = 0, True
        while has_more:
            message = await receive()
            size += len(message.get("body", b""))
            has_more = message.get("more_body", False)
        return size

    async def _live(self, receive: Receive, send: Send) -> None:
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})


class Hasty(GatewayProtocol):
    """The protocol with short times."""

    head_seconds = 0.3
    rest_seconds = 0.3
    made: ClassVar[list["Hasty"]] = []

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        Hasty.made.append(self)


@dataclass(frozen=True)
class Peer:
    """The server under test."""

    address: tuple[str, int]
    recorder: Recorder


@pytest.fixture(scope="module")
def server() -> Iterator[Peer]:
    recorder = Recorder()
    app = RequestIds(Errors(BodyLimits(recorder, max_bytes=1_000_000, seconds=0.4), keep_error))
    with serving(app, Hasty) as address:
        yield Peer(address, recorder)


@pytest.fixture
def peer(server: Peer) -> Peer:
    server.recorder.paths.clear()
    server.recorder.headers.clear()
    return server


def post(*headers: bytes, body: bytes = b"abcdefg") -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"POST /first HTTP/1.1\r\n" + HOST + lines + b"\r\n" + body


def get(*headers: bytes) -> bytes:
    return b"GET /first HTTP/1.1\r\n" + b"".join(line + b"\r\n" for line in headers) + b"\r\n"


def chunks(*lines: bytes) -> bytes:
    return CHUNKED + b"".join(lines)


MALFORMED: dict[str, tuple[bytes, int]] = {
    "content-length and transfer-encoding": (
        post(b"Content-Length: 7", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        400,
    ),
    "transfer-encoding and content-length": (
        post(b"Transfer-Encoding: chunked", b"Content-Length: 7", body=b"0\r\n\r\n"),
        400,
    ),
    "two different lengths": (post(b"Content-Length: 7", b"Content-Length: 8"), 400),
    "two equal lengths": (post(b"Content-Length: 7", b"Content-Length: 7"), 400),
    "a list of lengths": (post(b"Content-Length: 7, 7"), 400),
    "a length with a plus": (post(b"Content-Length: +7"), 400),
    "a length in hex": (post(b"Content-Length: 0x7"), 400),
    "a length with an underscore": (post(b"Content-Length: 7_0"), 400),
    "a negative length": (post(b"Content-Length: -1"), 400),
    "a length of twenty digits": (post(b"Content-Length: 99999999999999999999"), 400),
    "an empty length": (post(b"Content-Length:"), 400),
    "bare line feeds": (b"GET /first HTTP/1.1\nHost: x\n\n", 400),
    "a folded header": (get(b"Host: x", b"A: b\r\n c"), 400),
    "a bare carriage return": (get(b"Host: x", b"A: b\rc"), 400),
    "a NUL in a header": (get(b"Host: x", b"A: b\x00c"), 400),
    "a space before the colon": (get(b"Host: x", b"A : b"), 400),
    "an empty header name": (get(b"Host: x", b": b"), 400),
    "an unknown transfer-encoding": (post(b"Transfer-Encoding: xchunked"), 501),
    "chunked not as the last encoding": (post(b"Transfer-Encoding: chunked, identity"), 400),
    "an encoding before chunked": (
        post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
        501,
    ),
    "an encoding in a header of its own": (
        post(b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        501,
    ),
    "chunked twice": (post(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"), 400),
    "two transfer-encodings": (
        post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
        400,
    ),
    "an unknown method": (b"BREW /first HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a lower-case method": (b"get /first HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a CONNECT": (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a transfer-encoding in HTTP/1.0": (CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n", 400),
    "a bad chunk size": (chunks(b"zz\r\nabc\r\n0\r\n\r\n"), 400),
    "a negative chunk size": (chunks(b"-1\r\nabc\r\n0\r\n\r\n"), 400),
    "a chunk with a bare line feed": (chunks(b"3\nabc\n0\n\n"), 400),
    "a chunk longer than it says": (chunks(b"3\r\nabcdef\r\n0\r\n\r\n"), 400),
    "a chunk size that overflows": (chunks(b"1" + b"0" * 20 + b"\r\nabc\r\n0\r\n\r\n"), 400),
    "a chunk extension of 100 kB": (
        chunks(b"3;" + b"x" * 100_000 + b"\r\nabc\r\n0\r\n\r\n"),
        400,
    ),
    "trailers of 100 kB": (
        chunks(b"3\r\nabc\r\n0\r\nT: " + b"x" * 100_000 + b"\r\n\r\n"),
        400,
    ),
    "no Host": (get(b"A: b"), 400),
    "two Hosts": (get(b"Host: x", b"Host: x"), 400),
    "a Host with a path": (get(b"Host: x/../admin?"), 400),
    "a Host with a user": (get(b"Host: a@x"), 400),
    "HTTP/2.0": (b"GET /first HTTP/2.0\r\nHost: x\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /first HTTP/0.9\r\nHost: x\r\n\r\n", 400),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "not HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a target that is not ASCII": (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a target of 64 kB": (b"GET /" + b"a" * 65_536 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
    "a header of 60 kB": (get(b"Host: x", b"A: " + b"b" * 60_000), 431),
    "a header of 1 MB": (get(b"Host: x", b"A: " + b"b" * 1_000_000), 431),
    "a header of 20 MB": (get(b"Host: x", b"A: " + b"b" * 20_000_000), 431),
    "a thousand headers": (get(b"Host: x", *[b"A: b"] * 1_000), 431),
    "a hundred thousand headers": (get(b"Host: x", *[b"A: b"] * 100_000), 431),
    "too large by its length": (post(b"Content-Length: 1000001", body=b"x" * 1_000_001), 413),
    "too large in chunks": (
        chunks(*[b"fff0\r\n" + b"x" * 0xFFF0 + b"\r\n"] * 16, b"0\r\n\r\n"),
        413,
    ),
}
ANSWERED_AND_KEPT = {"too large by its length", "too large in chunks"}


def statuses(received: bytes) -> list[int]:
    return [int(match) for match in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


@pytest.mark.parametrize("name", [name for name in MALFORMED if name not in ANSWERED_AND_KEPT])
def test_a_malformed_request_is_refused_and_nothing_after_it_is_served(
    peer: Peer, name: str
) -> None:
    request, status = MALFORMED[name]

    received = exchange(peer.address, request + SECOND)

    assert statuses(received) == [status]
    assert "/second" not in peer.recorder.paths


@pytest.mark.A28
@pytest.mark.parametrize("name", sorted(ANSWERED_AND_KEPT))
def test_a_body_over_the_limit_is_refused_and_the_rest_of_it_is_not_a_request(
    peer: Peer, name: str
) -> None:
    request, status = MALFORMED[name]

    received = exchange(peer.address, request + LAST)

    assert statuses(received) == [status, 200]
    assert peer.recorder.paths[-1] == "/second"


def test_a_refusal_is_json_with_a_code_and_a_request_id(peer: Peer) -> None:
    head, _, body = exchange(peer.address, get(b"A: b")).partition(b"\r\n\r\n")

    assert json.loads(body) == {
        "error": "A request needs exactly one Host header",
        "code": "INVALID_REQUEST",
    }
    assert re.search(rb"x-request-id: [0-9a-f]{32}\r\n", head)
    assert b"connection: close" in head
    assert b"content-type: application/json" in head


def test_a_silent_connection_is_closed(peer: Peer) -> None:
    received = exchange(peer.address, b"")

    assert statuses(received) == [408]


@pytest.mark.A28
@pytest.mark.parametrize("drip", [b"\r\n" * 30, b"GET /" + b"a" * 60])
def test_a_head_that_drips_in_is_cut_off(peer: Peer, drip: bytes) -> None:
    with socket.create_connection(peer.address, timeout=0.05) as connection:
        received = b""
        for byte in drip:
            try:
                connection.sendall(bytes([byte]))
                received = connection.recv(1_000)
                break
            except TimeoutError:
                continue

    assert statuses(received) == [408]


def test_a_second_head_that_does_not_come_to_its_end_is_cut_off(peer: Peer) -> None:
    received = exchange(peer.address, PLAIN + b"GET /second HTT")

    assert statuses(received) == [200, 408]
    assert peer.recorder.paths == ["/first"]


@pytest.mark.A28
def test_a_body_that_does_not_come_is_refused(peer: Peer) -> None:
    received = exchange(peer.address, post(b"Content-Length: 70"))

    assert statuses(received) == [408]
    assert json.loads(received.partition(b"\r\n\r\n")[2])["code"] == "REQUEST_TIMEOUT"


def test_the_rest_of_an_answered_request_is_not_waited_for_long(peer: Peer) -> None:
    request = b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 70\r\n\r\nabc"

    received = exchange(peer.address, request)

    assert statuses(received) == [200]


def test_a_connection_whose_early_answered_request_did_end_is_not_kept_for_ever(
    peer: Peer,
) -> None:
    head = b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n"

    with socket.create_connection(peer.address, timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(head + b"abc")
        first = connection.recv(1_000)
        connection.sendall(b"defg")
        rest = read_to_end(connection)

    assert (statuses(first), statuses(rest)) == ([200], [408])


def test_a_peer_that_expects_to_be_told_to_go_on_is_not_kept_when_it_was_not(peer: Peer) -> None:
    head = b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n"

    received = exchange(peer.address, head)

    assert statuses(received) == [200]
    assert peer.recorder.paths == ["/unread"]


def test_a_trailer_never_becomes_a_header(peer: Peer) -> None:
    request = chunks(b"3\r\nabc\r\n0\r\nX-Api-Key: stolen\r\n\r\n")

    received = exchange(peer.address, request + LAST)

    assert statuses(received) == [200, 200]
    assert all(name != b"x-api-key" for name, _ in peer.recorder.headers[0])


def test_requests_in_one_packet_are_answered_in_order(peer: Peer) -> None:
    received = exchange(peer.address, PLAIN * 20 + LAST)

    assert statuses(received) == [200] * 21


def test_a_refusal_waits_for_the_answer_before_it(peer: Peer) -> None:
    received = exchange(peer.address, PLAIN + b"GET /second HTTP/1.1\r\n\r\n")

    assert statuses(received) == [200, 400]
    assert peer.recorder.paths == ["/first"]


def test_a_bad_body_behind_another_request_is_refused_in_turn(peer: Peer) -> None:
    received = exchange(peer.address, PLAIN + chunks(b"zz\r\n") + SECOND)

    assert statuses(received) == [200, 400]
    assert peer.recorder.paths == ["/first"]


def test_a_large_body_and_a_request_behind_it_are_served(peer: Peer) -> None:
    body = b"x" * 900_000
    request = post(b"Content-Length: 900000", body=body)
    received = exchange(peer.address, request + LAST)

    assert statuses(received) == [200, 200]
    assert b"900000" in received


def test_a_body_in_chunks_of_one_byte_is_served(peer: Peer) -> None:
    head = CHUNKED.replace(b"Host", b"Connection: close\r\nHost")

    received = exchange(peer.address, head + b"1\r\nx\r\n" * 40_000 + b"0\r\n\r\n")

    assert statuses(received) == [200]
    assert received.endswith(b"40000")


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_an_upgrade_is_answered_as_if_it_was_not_asked_for(peer: Peer, protocol: bytes) -> None:
    request = post(b"Connection: Upgrade", b"Upgrade: " + protocol, b"Content-Length: 7")

    received = exchange(peer.address, request + LAST)

    assert statuses(received) == [200, 200]
    assert b"\r\n\r\n7HTTP" in received
    assert peer.recorder.paths == ["/first", "/second"]


def test_http_1_0_needs_no_host(peer: Peer) -> None:
    received = exchange(peer.address, b"GET /first HTTP/1.0\r\n\r\n")

    assert statuses(received) == [200]


def test_an_absolute_target_is_served_by_its_path(peer: Peer) -> None:
    received = exchange(peer.address, b"GET http://y/first HTTP/1.0\r\nHost: x\r\n\r\n")

    assert statuses(received) == [200]
    assert peer.recorder.paths == ["/first"]


def test_a_head_just_under_the_limit_is_served(peer: Peer) -> None:
    padding = b"A: " + b"b" * (MAX_HEAD_BYTES - 200)

    received = exchange(peer.address, get(b"Host: x", b"Connection: close", padding))

    assert statuses(received) == [200]


def test_a_peer_that_is_gone_does_not_disturb_the_others(peer: Peer) -> None:
    with socket.create_connection(peer.address, timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(post(b"Content-Length: 70"))

    with socket.create_connection(peer.address, timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(LAST)
        received = read_to_end(connection)

    assert statuses(received) == [200]


def test_a_body_that_nobody_read_is_not_kept(peer: Peer) -> None:
    head = b"POST /unread HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 60000\r\n\r\n"
    Hasty.made.clear()

    answer = exchange(peer.address, head + b"x" * 60_000)

    assert answer.count(b"HTTP/1.1 200") == 1
    assert [len(each.cycle.body) for each in Hasty.made] == [0]


def test_a_body_that_nobody_has_read_so_far_is_kept_while_its_request_is_open(peer: Peer) -> None:
    answer = exchange(peer.address, PLAIN + post(b"Content-Length: 7") + LAST)

    assert answer.count(b"HTTP/1.1 200") == 3
    assert b"\r\n\r\n7HTTP/1.1" in answer
