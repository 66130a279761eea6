"""The client against a server on this machine that answers as each test says."""

import asyncio
import gzip
import socket
import time

import pytest

from engine.nodes.support.base import HttpCall
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.http.raw_server import Stub, answer, failure
from workers.outbound.client import Egress


async def test_the_answer_has_status_headers_in_lower_case_and_body(
    stub: Stub, egress: Egress
) -> None:
    stub.reply = [b"HTTP/1.1 404 No\r\nX-One: a\r\nx-one: b\r\nContent-Length: 4\r\n\r\ngone"]

    got = await egress.fetch(HttpCall(method="GET", url=stub.url + "/a?b=c"))

    assert (got.status, got.body, got.headers["x-one"]) == (404, b"gone", "a, b")
    assert stub.requests[0].startswith(b"GET /a?b=c HTTP/1.1\r\n")


async def test_the_call_is_sent_as_it_was_put_together(stub: Stub, egress: Egress) -> None:
    headers = (("Content-Type", "application/json"), ("X-Key", "secret"))
    call = HttpCall(method="POST", url=stub.url, headers=headers, body=b'{"a": 1}')

    await egress.fetch(call)

    head, _, body = stub.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST / HTTP/1.1\r\n") and body == b'{"a": 1}'
    for line in (b"X-Key: secret", b"Content-Type: application/json", b"User-Agent: Headrace"):
        assert line in head.split(b"\r\n")


@pytest.mark.A47
async def test_no_compressed_answer_is_asked_for(stub: Stub, egress: Egress) -> None:
    await egress.fetch(HttpCall(method="GET", url=stub.url))

    assert b"Accept-Encoding: identity\r\n" in stub.requests[0]


@pytest.mark.A47
async def test_cookies_are_neither_kept_nor_sent(stub: Stub, egress: Egress) -> None:
    stub.reply = answer("Set-Cookie: a=b", "Content-Length: 0")

    await egress.fetch(HttpCall(method="GET", url=stub.url))
    await egress.fetch(HttpCall(method="GET", url=stub.url))

    assert b"a=b" not in stub.requests[1]


async def test_proxies_of_the_environment_are_ignored(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    egress = Egress(allow_private=True)

    assert (await egress.fetch(HttpCall(method="GET", url=stub.url))).body == b"ok"

    await egress.close()


async def test_redirects_are_not_followed(stub: Stub, egress: Egress) -> None:
    stub.reply = [b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"]

    got = await egress.fetch(HttpCall(method="GET", url=stub.url))

    assert (got.status, got.headers["location"], len(stub.requests)) == (302, "/x", 1)


async def test_connections_are_kept_alive(stub: Stub, egress: Egress) -> None:
    for _ in range(5):
        await egress.fetch(HttpCall(method="GET", url=stub.url))

    assert (stub.connections, len(stub.requests)) == (1, 5)


async def test_many_calls_wait_together(stub: Stub, egress: Egress) -> None:
    stub.pause = 0.3
    started = time.monotonic()

    calls = [egress.fetch(HttpCall(method="GET", url=stub.url)) for _ in range(300)]
    answers = await asyncio.gather(*calls)

    assert all(got.body == b"ok" for got in answers)
    assert time.monotonic() - started < 30


async def test_a_body_of_its_cap_is_taken_and_one_byte_more_is_not(
    stub: Stub, egress: Egress
) -> None:
    stub.reply = answer("Content-Length: 100", body=b"x" * 100)

    assert (await egress.fetch(HttpCall(method="GET", url=stub.url, max_bytes=100))).body
    failed = await failure(egress, HttpCall(method="GET", url=stub.url, max_bytes=99))

    assert (failed.code, failed.retryable) == ("response_too_large", False)


async def test_a_body_without_a_length_is_counted_as_it_comes(stub: Stub, egress: Egress) -> None:
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    stub.reply = [*answer("Transfer-Encoding: chunked"), *[chunk] * 64, b"0\r\n\r\n"]

    failed = await failure(egress, HttpCall(method="GET", url=stub.url, max_bytes=4096))

    assert failed.code == "response_too_large"


async def test_the_answer_to_a_head_call_may_announce_any_length(
    stub: Stub, egress: Egress
) -> None:
    stub.reply = answer("Content-Length: 1000")

    got = await egress.fetch(HttpCall(method="HEAD", url=stub.url, max_bytes=10))

    assert (got.status, got.body, got.headers["content-length"]) == (200, b"", "1000")


async def test_a_compressed_answer_is_inflated(stub: Stub, egress: Egress) -> None:
    body = gzip.compress(b"hello" * 10)
    stub.reply = answer("Content-Encoding: gzip", f"Content-Length: {len(body)}", body=body)

    assert (await egress.fetch(HttpCall(method="GET", url=stub.url))).body == b"hello" * 10


@pytest.mark.A47
@pytest.mark.parametrize(
    ("encoding", "body", "code"),
    [
        ("gzip", gzip.compress(bytes(10_000_000), mtime=0), "response_too_large"),
        ("gzip", gzip.compress(b"hello", mtime=0)[:-9], "bad_response"),
        ("gzip", b"hello", "bad_response"),
        ("br", b"hello", "bad_response"),
        ("gzip, gzip", b"hello", "bad_response"),
    ],
)
async def test_a_bomb_or_a_strange_encoding_fails(
    stub: Stub, egress: Egress, encoding: str, body: bytes, code: str
) -> None:
    length = f"Content-Length: {len(body)}"
    stub.reply = answer(f"Content-Encoding: {encoding}", length, body=body)

    failed = await failure(egress, HttpCall(method="GET", url=stub.url, max_bytes=1_000_000))

    assert failed.code == code


@pytest.mark.parametrize(
    "reply",
    [
        [b""],
        [b"HTTP/1.1 100 Continue\r\n\r\n"] * 50,
        [b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", *[b"x"] * 49],
    ],
    ids=["silence", "interim answers without end", "a body byte by byte"],
)
async def test_the_deadline_is_total(stub: Stub, egress: Egress, reply: list[bytes]) -> None:
    stub.reply, stub.pause = reply, 0.1

    failed = await failure(egress, HttpCall(method="GET", url=stub.url, timeout_seconds=0.4))

    assert (failed.code, failed.retryable) == ("timeout", True)
    assert stub.written <= 6


async def test_a_server_that_is_not_there_is_a_failed_connection(egress: Egress) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        failed = await failure(egress, HttpCall(method="GET", url=url))

    assert (failed.code, failed.retryable) == ("connection_failed", True)


async def test_a_name_that_does_not_resolve_is_a_failed_connection(strict: Egress) -> None:
    failed = await failure(strict, HttpCall(method="GET", url="http://name.invalid/"))

    assert (failed.code, failed.retryable) == ("connection_failed", True)


@pytest.mark.parametrize(
    "reply",
    [[b""], [b"HTTP/1.1 200"], [b"HTTP/1.1 200 OK\r\nContent-Le"]],
)
async def test_an_answer_that_breaks_off_is_a_failed_connection(
    stub: Stub, egress: Egress, reply: list[bytes]
) -> None:
    stub.reply, stub.then_close = reply, True

    failed = await failure(egress, HttpCall(method="POST", url=stub.url))

    assert (failed.code, failed.retryable) == ("connection_failed", True)


@pytest.mark.parametrize(
    "reply",
    [
        [b"220 mail.example ESMTP\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5_000 + b"\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"],
    ],
    ids=["another protocol", "a long header", "many headers", "a length that is none"],
)
async def test_an_answer_that_is_not_http_is_a_bad_response(
    stub: Stub, egress: Egress, reply: list[bytes]
) -> None:
    stub.reply = reply

    failed = await failure(
        egress, HttpCall(method="GET", url=stub.url, timeout_seconds=PATIENCE_SECONDS)
    )

    assert (failed.code, failed.retryable) == ("bad_response", False)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://0/",
        "http://①②⑦.⓪.⓪.①/",
        "http://127。0。0。1/",
        "http://%31%32%37.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://user:pw@127.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "ftp://example.com/",
        "http://example.com:6379/",
    ],
)
async def test_an_address_that_is_not_public_is_blocked(strict: Egress, url: str) -> None:
    failed = await failure(
        strict, HttpCall(method="GET", url=url, timeout_seconds=PATIENCE_SECONDS)
    )

    assert (failed.code, failed.retryable) == ("url_blocked", False)


@pytest.mark.A46
@pytest.mark.parametrize(
    "header",
    [
        ("Host", "other.example"),
        ("transfer-encoding", "chunked"),
        ("Content-Length", "5"),
        ("Proxy-Authorization", "x"),
        ("X-Key", "a\r\nX-Other: b"),
        ("X-Key\n", "a"),
        ("X Key", "a"),
    ],
)
async def test_a_header_that_is_not_the_authors_to_set_is_refused(
    stub: Stub, egress: Egress, header: tuple[str, str]
) -> None:
    failed = await failure(egress, HttpCall(method="GET", url=stub.url, headers=(header,)))

    assert (failed.code, failed.retryable, stub.requests) == ("header_blocked", False, [])


async def test_a_cancelled_call_leaves_the_next_one_in_order(stub: Stub, egress: Egress) -> None:
    stub.pause = 0.2
    call = asyncio.create_task(egress.fetch(HttpCall(method="GET", url=stub.url + "/first")))
    await asyncio.sleep(0.05)
    call.cancel()
    stub.reply = answer("Content-Length: 6", body=b"second")

    assert (await egress.fetch(HttpCall(method="GET", url=stub.url))).body == b"second"
