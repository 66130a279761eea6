"""Answers that lie, flood, drip or swell."""

import asyncio
import contextlib
import gzip
import sys
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from engine.nodes.base import HttpCall, NodeFailed
from tests.http_stub import OK, Stub, answer, failure, serving
from workers.http import MAX_HEAD_BYTES, Egress
from workers.http.inflating import MAX_MEMBERS

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
MEGABYTE = 1_048_576


def get(stub: Stub, timeout_seconds: float = 5.0, max_bytes: int = 10_485_760) -> HttpCall:
    return HttpCall(
        method="GET", url=stub.url, timeout_seconds=timeout_seconds, max_bytes=max_bytes
    )


# -- what is not HTTP, or not what it says --------------------------------------------------------


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


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK,
        CONTINUE * 3 + OK,
        b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
        CHUNKED + b"2;a=b\r\nok\r\n0\r\nX-Trailer: 1\r\nSet-Cookie: a=b\r\n\r\n",
    ],
)
async def test_what_is_odd_but_right_is_read(stub: Stub, egress: Egress, reply: bytes) -> None:
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
    assert time.monotonic() - started < 5


async def test_a_head_within_its_cap_is_read_whatever_its_pieces(
    stub: Stub, egress: Egress
) -> None:
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
    stub.reply, stub.pause = reply, 0.05
    started = time.monotonic()

    failed = await failure(egress, get(stub, timeout_seconds=0.3))

    assert (failed.code, failed.retryable) == ("timeout", True)
    assert time.monotonic() - started < 1


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
    call = HttpCall(method="POST", url=url, body=bytes(20_000_000), timeout_seconds=5)
    got = await egress.fetch(call)
    done.set()
    server.close()

    assert (got.status, got.body) == (413, b"no")


async def test_a_body_that_nobody_takes_ends_at_the_deadline(egress: Egress) -> None:
    async with deaf() as url:
        call = HttpCall(method="POST", url=url, body=bytes(50_000_000), timeout_seconds=0.3)
        failed = await failure(egress, call)

    assert failed.code == "timeout"


# -- bodies that swell ----------------------------------------------------------------------------


def bare(body: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(body) + deflater.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"hello", mtime=0)),
        ("X-GZIP", gzip.compress(b"hello", mtime=0)),
        ("gzip", gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo", mtime=0)),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", bare(b"hello")),
        ("identity", b"hello"),
        ("", b"hello"),
    ],
)
async def test_what_was_compressed_unasked_is_inflated(
    stub: Stub, egress: Egress, encoding: str, body: bytes
) -> None:
    lines = (f"Content-Encoding: {encoding}", f"Content-Length: {len(body)}")
    stub.reply = answer(*lines, body=body)

    assert (await egress.fetch(get(stub))).body == b"hello"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("br", b"hello"),
        ("zstd", b"hello"),
        ("gzip, br", gzip.compress(b"hello", mtime=0)),
        ("gzip, gzip", gzip.compress(gzip.compress(b"hello", mtime=0), mtime=0)),
        ("identity, gzip", gzip.compress(b"hello", mtime=0)),
        ("gzip", b"hello"),
        ("gzip", b"\x1f"),
        ("gzip", gzip.compress(b"hello", mtime=0)[:-1]),
        ("gzip", gzip.compress(b"hello", mtime=0)[:-8] + bytes(8)),
        ("gzip", gzip.compress(b"hello", mtime=0) + b"more"),
        ("gzip", gzip.compress(b"", mtime=0) * (MAX_MEMBERS + 1)),
        ("deflate", zlib.compress(b"hello")[:-1]),
        ("deflate", zlib.compress(b"hello") + b"more"),
        ("deflate", b"\xff"),
    ],
)
async def test_a_body_that_does_not_inflate_is_a_bad_response(
    stub: Stub, egress: Egress, encoding: str, body: bytes
) -> None:
    lines = (f"Content-Encoding: {encoding}", f"Content-Length: {len(body)}")
    stub.reply = answer(*lines, body=body)

    failed = await failure(egress, get(stub))

    assert (failed.code, failed.retryable) == ("bad_response", False)


@pytest.mark.parametrize("members", [1, 10])
async def test_a_body_inflates_to_its_cap_and_not_a_byte_beyond(
    stub: Stub, egress: Egress, members: int
) -> None:
    body = gzip.compress(bytes(1_000_000 // members), mtime=0) * members
    stub.reply = answer("Content-Encoding: gzip", f"Content-Length: {len(body)}", body=body)

    assert len((await egress.fetch(get(stub, max_bytes=1_000_000))).body) == 1_000_000
    failed = await failure(egress, get(stub, max_bytes=999_999))

    assert failed.code == "response_too_large"


def bomb() -> bytes:
    """A gibibyte of zeros in a megabyte of gzip; its end is never reached."""
    deflater = zlib.compressobj(9, wbits=-15)
    block = deflater.compress(bytes(16 * MEGABYTE)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + block * 64


GROWTH = """
import asyncio, resource, sys
from engine.nodes.base import HttpCall, NodeFailed
from workers.http import Egress

def peak():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

async def main():
    egress = Egress(allow_private=True)
    await egress.fetch(HttpCall(method="GET", url=sys.argv[1] + "/small"))
    before = peak()
    try:
        await egress.fetch(HttpCall(method="GET", url=sys.argv[1], timeout_seconds=30))
    except NodeFailed as failed:
        print(failed.code, (peak() - before) // 1_048_576)
    await egress.close()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    "reply",
    [
        answer("Content-Encoding: gzip", "Connection: close", body=bomb()),
        answer("Content-Encoding: gzip", f"Content-Length: {len(bomb())}", body=bomb()),
        [CHUNKED] + [b"100000\r\n" + bytes(MEGABYTE) + b"\r\n"] * 1_024,
        answer("Content-Length: 1073741824") + [bytes(MEGABYTE)] * 1_024,
        answer("Connection: close") + [bytes(MEGABYTE)] * 1_024,
    ],
    ids=["a bomb until the end", "a bomb", "endless chunks", "a gibibyte", "no length"],
)
async def test_a_gibibyte_costs_little_memory(stub: Stub, reply: list[bytes]) -> None:
    stub.reply = reply
    stub.pages = {"/small": OK}
    # A server that goes by the end of the connection has to end it.
    stub.then_close = b"Connection: close" in reply[0]
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", GROWTH, stub.url),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )

    told, _ = await child.communicate()

    code, growth = told.decode().split()
    assert code == "response_too_large"
    assert int(growth) <= 64


# -- what the machine lacks -----------------------------------------------------------------------

FILES = """
import asyncio, os, resource, sys
from engine.nodes.base import HttpCall, NodeFailed
from workers.http import Egress

async def attempt(egress, url):
    try:
        return (await egress.fetch(HttpCall(method="GET", url=url))).body.decode()
    except NodeFailed as failed:
        return failed.code

async def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
    egress = Egress(allow_private=True)
    held = []
    try:
        while True:
            held.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        pass
    by_name = sys.argv[1].replace("127.0.0.1", "localhost")
    told = [await attempt(egress, sys.argv[1]), await attempt(egress, by_name)]
    for number in held:
        os.close(number)
    told.append(await attempt(egress, sys.argv[1]))
    print(*told)
    await egress.close()

asyncio.run(main())
"""


async def test_without_file_descriptors_a_connection_fails_and_later_ones_do_not(
    stub: Stub,
) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", FILES, stub.url),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )

    told, _ = await child.communicate()

    assert told.decode().split() == ["connection_failed", "connection_failed", "ok"]


# -- what the environment says --------------------------------------------------------------------


async def test_neither_proxies_nor_passwords_of_the_environment_are_used(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with serving(Stub()) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("NO_PROXY", "")
        secrets = tmp_path / "netrc"
        secrets.write_text("machine 127.0.0.1 login me password s3cret\n")
        secrets.chmod(0o600)
        monkeypatch.setenv("NETRC", str(secrets))
        egress = Egress(allow_private=True)
        await egress.fetch(get(stub))
        await egress.close()

    assert (proxy.connections, stub.lines) == (0, ["GET /"])
    assert b"authorization" not in stub.requests[0].lower()
