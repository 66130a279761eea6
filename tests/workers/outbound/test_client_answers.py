"""Answers that lie, flood, drip or swell."""

import asyncio
import contextlib
import gzip
import time
from collections.abc import AsyncIterator
from random import Random

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import HttpCall
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.http.raw_server import OK, Stub, answer, failure
from workers.outbound.client import Egress
from workers.outbound.connection import MAX_HEAD_BYTES, OutboundConnection

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
MEGABYTE = 1_048_576


def get(
    stub: Stub, timeout_seconds: float = PATIENCE_SECONDS, max_bytes: int = 10_485_760
) -> HttpCall:
    return HttpCall(
        method="GET", url=stub.url, timeout_seconds=timeout_seconds, max_bytes=max_bytes
    )


# -- invalid HTTP ---------------------------------------------------------------------------------


@pytest.mark.A47
@pytest.mark.parametrize(
    "reply",
    [
        b"hello world\n",
        b"<html><body>hello</body></html>\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"-ERR unknown command\r\n",
        b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" * 3,
        b"HTTP/3.7 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 99 X\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 1000 X\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nstuff",
        *answer("X: a\0b", "Content-Length: 2", body=b"ok"),
        *answer("X Y: a", "Content-Length: 2", body=b"ok"),
        *answer("X : a", "Content-Length: 2", body=b"ok"),
        *answer("Content-Length: 2", body=b"okokok"),
        *answer("Content-Length: 2", "Content-Length: 3", body=b"ok1"),
        *answer("Content-Length: -2", body=b"ok"),
        *answer("Content-Length: +2", body=b"ok"),
        *answer("Content-Length: 0x2", body=b"ok"),
        *answer("Content-Length: " + "9" * 30, body=b"ok"),
        *answer("Content-Length: 2", "Transfer-Encoding: chunked", body=b"2\r\nok\r\n0\r\n\r\n"),
        *answer("Transfer-Encoding: gzip, chunked", body=b"2\r\nok\r\n0\r\n\r\n"),
        *answer("Transfer-Encoding: gzip", body=b"ok"),
        CHUNKED + b"zz\r\nok\r\n0\r\n\r\n",
        CHUNKED + b"-2\r\nok\r\n0\r\n\r\n",
        CHUNKED + b"2\r\nokok0\r\n\r\n",
        CHUNKED + b"f" * 17 + b"\r\nok",
        CHUNKED + b"2\r\nok\r\n0\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
    ],
)
async def test_garbage_is_a_bad_response(stub: Stub, egress: Egress, reply: bytes) -> None:
    stub.reply = [reply]

    failed = await failure(egress, get(stub))

    assert (failed.code, failed.retryable) == ("bad_response", False)


@pytest.mark.A47
@pytest.mark.parametrize(
    "reply",
    [
        *answer("Content-Length: 50", body=b"half"),
        CHUNKED + b"9\r\nhalf",
        CHUNKED + b"4\r\nhalf\r\n",
    ],
)
async def test_a_body_that_ends_before_its_length_is_a_bad_response_worth_another_try(
    stub: Stub, egress: Egress, reply: bytes
) -> None:
    stub.reply, stub.then_close = [reply], True

    failed = await failure(egress, get(stub))

    assert (failed.code, failed.retryable) == ("bad_response", True)


@pytest.mark.parametrize(
    "reply",
    [*answer("Content-Length: 50", body=b"half"), CHUNKED + b"9\r\nhalf", *answer(body=b"half")],
    ids=["length", "chunks", "neither"],
)
async def test_a_body_that_is_reset_is_a_failed_connection(
    stub: Stub, egress: Egress, reply: bytes
) -> None:
    stub.reply = [reply, b""]
    stub.then_reset, stub.pause = True, 0.05

    failed = await failure(egress, get(stub))

    assert (failed.code, failed.retryable) == ("connection_failed", True)


async def test_an_announced_body_that_does_not_come_ends_at_the_deadline(
    stub: Stub, egress: Egress
) -> None:
    stub.reply = answer("Content-Length: 50", body=b"half")

    failed = await failure(egress, get(stub, timeout_seconds=0.2))

    assert failed.code == "timeout"


@pytest.mark.A47
@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK,
        CONTINUE * 3 + OK,
        b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
        CHUNKED + b"2;a=b\r\nok\r\n0\r\nX-Trailer: 1\r\nSet-Cookie: a=b\r\n\r\n",
    ],
)
async def test_an_odd_but_valid_answer_is_read(stub: Stub, egress: Egress, reply: bytes) -> None:
    stub.reply = [reply]

    got = await egress.fetch(get(stub))

    assert (got.status, got.body) == (200, b"ok")
    assert not {"x-trailer", "set-cookie"} & got.headers.keys()


@pytest.mark.parametrize("later", [b"zz\r\n", b"4\r\nokokok", b"0\r\nX Y: z\r\n\r\n"])
async def test_garbage_in_the_middle_of_a_body_does_not_wait_for_the_deadline(
    stub: Stub, egress: Egress, later: bytes
) -> None:
    stub.reply, stub.pause = [CHUNKED + b"2\r\nok\r\n", later], 0.02

    failed = await failure(egress, get(stub))

    assert (failed.code, failed.retryable) == ("bad_response", False)


@pytest.mark.parametrize("is_lost", [False, True], ids=["garbage", "a lost connection"])
async def test_a_reader_that_was_just_woken_hears_of_it(
    stub: Stub, egress: Egress, monkeypatch: pytest.MonkeyPatch, is_lost: bool
) -> None:
    receive = OutboundConnection.data_received

    def receive_more(connection: OutboundConnection, data: bytes) -> None:
        receive(connection, data)
        if data == b"\r\n" and is_lost:
            connection.connection_lost(None)
        elif data == b"\r\n":
            connection.data_received(b"zz\r\n")

    monkeypatch.setattr(OutboundConnection, "data_received", receive_more)
    # The end of a chunk wakes the reader without a byte for it; then comes the next thing at once.
    stub.reply, stub.pause = [CHUNKED + b"2\r\nok", b"\r\n"], 0.05

    failed = await failure(egress, get(stub))

    assert (failed.code, failed.retryable) == ("bad_response", is_lost)


async def test_a_header_that_is_not_utf8_becomes_text(stub: Stub, egress: Egress) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Name: \xff\xfe\xc3\xa4\r\n"
    stub.reply = [head + b"Content-Length: 0\r\n\r\n"]

    got = await egress.fetch(get(stub))

    assert got.headers["x-name"] == "\ufffd\ufffdä"


WHOLE = [
    *answer("Content-Type: text/plain", "Content-Length: 12", body=b"hello, world"),
    CHUNKED + b"5\r\nhello\r\n7;a=b\r\n, world\r\n0\r\nX-Trailer: y\r\n\r\n",
    *answer("Content-Encoding: gzip", body=gzip.compress(b"hello, world", mtime=0)),
    CONTINUE + b"HTTP/1.1 204 No Content\r\n\r\n",
]


def damaged(random: Random) -> list[bytes]:
    """An answer with a few bytes changed, in a few pieces."""
    whole = bytearray(random.choice(WHOLE))
    for _ in range(random.randint(0, 4)):
        at = random.randrange(len(whole))
        change = random.choice([b"", b"\r", b"\n", b"\0", b":", b"\xff", b"9", b"\r\n\r\n"])
        whole[at : at + random.randint(0, 3)] = change or random.randbytes(1)
    cuts = sorted(random.sample(range(len(whole)), 2))
    return [bytes(whole[: cuts[0]]), bytes(whole[cuts[0] : cuts[1]]), bytes(whole[cuts[1] :])]


@pytest.mark.A47
@pytest.mark.parametrize("seed", range(20))
async def test_a_damaged_answer_is_an_answer_or_a_failure_with_a_name(
    stub: Stub, egress: Egress, seed: int
) -> None:
    random = Random(seed)
    stub.then_close = True
    for _ in range(50):
        stub.reply = damaged(random)
        try:
            got = await egress.fetch(get(stub))
        except NodeFailed as failed:
            assert failed.code in ("bad_response", "connection_failed", "response_too_large")
        else:
            assert all(text.isprintable() or "\t" in text for text in got.headers)


# -- floods before the body -----------------------------------------------------------------------


@pytest.mark.A47
@pytest.mark.parametrize(
    "reply",
    [
        [CONTINUE * 20_000] * 50,
        [b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * MEGABYTE],
        [b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"y" * 8_000 + b"\r\n") * 9 + b"\r\n"],
        [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1_000 + b"\r\n"],
        [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 1_000],
        [b"HTTP/1.1 200 OK\r\n"] + [b"x" * 10_000] * 100,
        [b"HTTP/1.1 200 "] + [b"x" * 10_000] * 100,
        [(b"HTTP/1.1 103 Hints\r\nLink: " + b"y" * 8_000 + b"\r\n\r\n") * 9 + OK],
    ],
    ids=[
        "interim answers",
        "a header of a megabyte",
        "72 KB of headers",
        "a thousand headers",
        "headers one by one",
        "an endless name",
        "an endless status",
        "72 KB of interim answers",
    ],
)
async def test_a_flood_before_the_body_is_cut_off(
    stub: Stub, egress: Egress, reply: list[bytes]
) -> None:
    stub.reply = reply
    started = time.monotonic()

    failed = await failure(egress, get(stub, timeout_seconds=30))

    assert (failed.code, failed.retryable) == ("bad_response", False)
    assert time.monotonic() - started < 20


async def test_a_head_within_its_cap_is_read_in_any_pieces(stub: Stub, egress: Egress) -> None:
    line = b"X: " + b"y" * 8_000 + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\n" + line * 7 + b"Content-Length: 100000\r\n\r\n"
    assert len(head) < MAX_HEAD_BYTES
    whole = head + b"x" * 100_000
    stub.reply = [whole[at : at + 3_000] for at in range(0, len(whole), 3_000)]

    got = await egress.fetch(get(stub))

    assert got.body == b"x" * 100_000


async def test_each_answer_of_a_kept_connection_has_a_cap_of_its_own(
    stub: Stub, egress: Egress
) -> None:
    stub.reply = answer(*["X: " + "y" * 8_000] * 3, "Content-Length: 2", body=b"ok")

    for _ in range(5):
        assert (await egress.fetch(get(stub))).body == b"ok"

    assert stub.connections == 1


# -- drips ----------------------------------------------------------------------------------------


@pytest.mark.A47
@pytest.mark.parametrize(
    "reply",
    [
        [bytes([byte]) for byte in OK],
        [CONTINUE] * 50,
        [CHUNKED] + [b"1\r\nx\r\n"] * 50,
        [CHUNKED + b"1;"] + [b"x"] * 50,
        [CHUNKED + b"0\r\n"] + [b"X: y\r\n"] * 50,
    ],
    ids=["a head", "interim answers", "chunks", "a chunk's extension", "trailers"],
)
async def test_no_drip_passes_the_deadline(stub: Stub, egress: Egress, reply: list[bytes]) -> None:
    stub.reply, stub.pause = reply, 0.1

    failed = await failure(egress, get(stub, timeout_seconds=0.3))

    assert (failed.code, failed.retryable) == ("timeout", True)
    assert stub.written <= 5


@contextlib.asynccontextmanager
async def deaf() -> AsyncIterator[str]:
    """A server that takes connections and never reads."""
    released = asyncio.Event()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    listener = await asyncio.start_server(hold, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
    released.set()
    listener.close()


async def test_an_answer_before_the_body_was_taken_is_the_answer(egress: Egress) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too large\r\nContent-Length: 2\r\n\r\nno")
        await asyncio.wait_for(done.wait(), 10)
        writer.close()

    done = asyncio.Event()
    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    call = HttpCall(
        method="POST", url=url, body=bytes(20_000_000), timeout_seconds=PATIENCE_SECONDS
    )
    got = await egress.fetch(call)
    done.set()
    server.close()

    assert (got.status, got.body) == (413, b"no")


async def test_an_unread_body_ends_at_the_deadline(egress: Egress) -> None:
    async with deaf() as url:
        call = HttpCall(method="POST", url=url, body=bytes(50_000_000), timeout_seconds=0.3)
        failed = await failure(egress, call)

    assert failed.code == "timeout"
