"""Answers that swell, and machines without free resources."""

import asyncio
import gzip
import sys
import zlib
from pathlib import Path

import pytest
from msgspec import structs

from engine.nodes.support.base import HttpCall
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.http.raw_server import MEGABYTE, OK, Stub, answer, bomb, failure, serving
from workers.outbound.client import Egress
from workers.outbound.inflating import MAX_MEMBERS

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def get(stub: Stub, max_bytes: int = 10_485_760) -> HttpCall:
    return HttpCall(
        method="GET", url=stub.url, timeout_seconds=PATIENCE_SECONDS, max_bytes=max_bytes
    )


async def test_of_an_answer_that_is_cut_off_a_compressed_body_is_left_out(
    stub: Stub, egress: Egress
) -> None:
    """Its first bytes would be no text, and the log of a webhook's deliveries shows them."""
    body = gzip.compress(b"thank you")
    stub.reply = answer("Content-Encoding: gzip", f"Content-Length: {len(body)}", body=body)

    got = await egress.fetch(structs.replace(get(stub), is_cut=True))

    assert (got.status, got.body) == (200, b"")


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
async def test_an_unexpectedly_compressed_body_is_inflated(
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


GROWTH = """
import asyncio, sys
from engine.nodes.support.base import HttpCall; from engine.errors.nodes import NodeFailed
from tests.support.process.peak_memory import peak_megabytes as peak
from workers.outbound.client import Egress

async def main():
    egress = Egress(allow_private=True)
    await egress.fetch(HttpCall(method="GET", url=sys.argv[1] + "/small"))
    before = peak()
    try:
        await egress.fetch(HttpCall(method="GET", url=sys.argv[1], timeout_seconds=90))
    except NodeFailed as failed:
        print(failed.code, peak() - before)
    await egress.close()

asyncio.run(main())
"""


@pytest.mark.A47
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(
            answer("Content-Encoding: gzip", "Connection: close", body=bomb()),
            id="a bomb until the end",
        ),
        pytest.param(
            answer("Content-Encoding: gzip", f"Content-Length: {len(bomb())}", body=bomb()),
            id="a bomb",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            [CHUNKED] + [b"100000\r\n" + bytes(MEGABYTE) + b"\r\n"] * 1_024,
            id="endless chunks",
        ),
        pytest.param(
            answer("Content-Length: 1073741824") + [bytes(MEGABYTE)] * 1_024,
            id="a gibibyte",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            answer("Connection: close") + [bytes(MEGABYTE)] * 1_024,
            id="no length",
            marks=pytest.mark.thorough,
        ),
    ],
)
@pytest.mark.F35c
async def test_a_gibibyte_costs_little_memory(stub: Stub, reply: list[bytes]) -> None:
    stub.reply = reply
    # A server that goes by the end of the connection has to end it, and says so every time: else
    # the next call may meet the end of the connection that it keeps.
    stub.then_close = b"Connection: close" in reply[0]
    [small] = answer("Connection: close", body=b"ok") if stub.then_close else [OK]
    stub.pages = {"/small": small}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", GROWTH, stub.url),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )

    output, _ = await child.communicate()

    code, growth = output.decode().split()
    assert code == "response_too_large"
    assert int(growth) <= 64


# -- missing resources ----------------------------------------------------------------------------

FILES = """
import asyncio, os, resource, sys
from engine.nodes.support.base import HttpCall; from engine.errors.nodes import NodeFailed
from workers.outbound.client import Egress

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


@pytest.mark.F42
async def test_without_file_descriptors_a_connection_fails_and_later_ones_do_not(
    stub: Stub,
) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", FILES, stub.url),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )

    output, _ = await child.communicate()

    assert output.decode().split() == ["connection_failed", "connection_failed", "ok"]


# -- the environment ------------------------------------------------------------------------------


@pytest.mark.A48
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
