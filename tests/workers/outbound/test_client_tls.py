"""TLS by name for any address; conftest.py ignores this module where `openssl` is missing."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.nodes.support.base import HttpCall
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.http.late_server import LateServer
from tests.support.http.raw_server import Dropping, Stub, failure, redirect, serving, serving_apart
from workers.outbound.client import Egress

NAME = "secure.example"


async def openssl(*arguments: str, folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *("openssl", *arguments), cwd=folder, stderr=asyncio.subprocess.PIPE
    )
    _, output = await process.communicate()
    assert process.returncode == 0, output.decode()


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Holds a certificate for one name, signed by itself, and its key."""
    await openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", f"/CN={NAME}"),
        *("-addext", f"subjectAltName=DNS:{NAME}"),
        folder=tmp_path,
    )
    return tmp_path


@pytest.fixture
def context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.fixture
async def secure(context: ssl.SSLContext) -> AsyncIterator[Stub]:
    stub = Stub()
    context.set_servername_callback(lambda _, name, __: stub.names.append(name))
    async with serving(stub, context=context):
        yield stub


@pytest.fixture
def trusted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the certificate be one of those that this machine trusts."""
    context = ssl.create_default_context(cafile=folder / "cert.pem")
    monkeypatch.setattr("workers.outbound.connecting.TLS_CONTEXT", context)


@pytest.fixture(autouse=True)
def names_lead_here(monkeypatch: pytest.MonkeyPatch, secure: Stub) -> None:
    def look_up(host: str, *_: object, **__: object) -> list[Any]:
        return [(0, 0, 0, "", ("127.0.0.1", 0))]

    monkeypatch.setattr("socket.getaddrinfo", look_up)


def get(stub: Stub, host: str, **more: int) -> HttpCall:
    return HttpCall(
        method="GET", url=f"https://{host}:{stub.port}/", timeout_seconds=PATIENCE_SECONDS, **more
    )


@pytest.mark.A40
@pytest.mark.usefixtures("trusted")
async def test_the_name_is_asked_for_and_proven(secure: Stub, egress: Egress) -> None:
    got = await egress.fetch(get(secure, NAME))

    assert (got.status, secure.names) == (200, [NAME])
    assert f"Host: {NAME}:{secure.port}\r\n".encode() in secure.requests[0]


@pytest.mark.A40
@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("host", ["other.example", "a.secure.example", "127.0.0.1"])
async def test_a_certificate_for_another_name_is_refused(
    secure: Stub, egress: Egress, host: str
) -> None:
    failed = await failure(egress, get(secure, host))

    assert (failed.code, failed.retryable, secure.requests) == ("connection_failed", True, [])
    assert "TLS" in failed.message


async def test_an_untrusted_certificate_is_refused(secure: Stub, egress: Egress) -> None:
    failed = await failure(egress, get(secure, NAME))

    assert (failed.code, secure.requests) == ("connection_failed", [])


async def test_a_server_without_tls_is_a_failed_connection(egress: Egress) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        plain = Stub(port=server.sockets[0].getsockname()[1])
        failed = await failure(egress, get(plain, NAME))

    assert (failed.code, failed.retryable) == ("connection_failed", True)


@pytest.mark.A42
@pytest.mark.usefixtures("trusted")
async def test_a_redirect_away_from_tls_gets_no_secret(
    secure: Stub, stub: Stub, egress: Egress
) -> None:
    secure.reply = [redirect(307, f"http://{NAME}:{stub.port}/plain")]
    headers = (("Authorization", "Bearer s3cret"), ("Accept", "text/plain"))
    url = f"https://{NAME}:{secure.port}/"

    await egress.fetch(HttpCall(method="GET", url=url, headers=headers, max_redirects=3))

    assert b"s3cret" in secure.requests[0]
    assert stub.lines == ["GET /plain"]
    assert b"s3cret" not in stub.requests[0] and b"Accept: text/plain" in stub.requests[0]


@pytest.mark.usefixtures("trusted")
async def test_a_call_that_met_a_closed_connection_is_sent_on_a_new_one(
    context: ssl.SSLContext, egress: Egress
) -> None:
    with serving_apart(Dropping(), context) as dropping:
        await egress.fetch(get(dropping, NAME))

        dropping.hang_up()
        got = await egress.fetch(get(dropping, NAME))

    assert (got.status, dropping.connections, len(dropping.requests)) == (200, 2, 2)


@pytest.mark.usefixtures("trusted")
async def test_a_call_that_is_read_and_not_answered_is_not_sent_again(
    context: ssl.SSLContext, egress: Egress
) -> None:
    with serving_apart(Dropping(), context) as dropping:
        await egress.fetch(get(dropping, NAME))

        url = f"https://{NAME}:{dropping.port}/drop"
        failed = await failure(egress, HttpCall(method="GET", url=url))

    assert failed.code == "connection_failed"
    assert dropping.lines == ["GET /", "GET /drop"]


@pytest.mark.usefixtures("trusted")
async def test_bytes_on_an_idle_connection_close_it_and_are_nobodys_answer(
    context: ssl.SSLContext, egress: Egress
) -> None:
    late_answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"
    with serving_apart(LateServer(), context) as late:
        for _ in range(5):
            assert (await egress.fetch(get(late, NAME))).body == b"ok"
            late.send(late_answer)

        assert late.connections == 5


@pytest.mark.usefixtures("trusted")
async def test_a_connection_is_kept(secure: Stub, egress: Egress) -> None:
    for _ in range(3):
        await egress.fetch(get(secure, NAME))

    assert (len(secure.requests), secure.connections) == (3, 1)
