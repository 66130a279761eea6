"""Answers and events of a server over HTTP."""

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from deploy.client.api import Api, StreamEvent
from deploy.client.servers import HttpServer
from deploy.net.http_client import Unreachable
from deploy.output.problems import ApiRefused
from tests.support.eventually import PATIENCE_SECONDS


@pytest.fixture
async def server() -> AsyncIterator[str]:
    """Answers `/after/…` with two events, `/hangs` with one and no end, `/garbled` with one that
    is none, and refuses the rest."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/refused":
            return web.json_response({"error": "No", "code": "EXECUTION_NOT_FOUND"}, status=404)
        response = web.StreamResponse()
        await response.prepare(request)
        payload = {"key": request.headers["x-api-key"], "body": await request.text()}
        data = json.dumps({**payload, "text": "é\n"}, ensure_ascii=False)
        after = request.headers.get("last-event-id", "none")
        await response.write(b"retry: 1000\n\n:\n\n")
        await response.write(f"id: 1.1\nevent: {after}\ndata: {data}\n\n".encode())
        if request.path == "/hangs":
            await asyncio.sleep(30)
        if request.path == "/garbled":
            await response.write(b"data: {\n\n")
        await response.write(b"id: 1.2\nevent: last\ndata: {}\n\n")
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def events(url: str, path: str, **arguments: Any) -> AsyncGenerator[StreamEvent, None]:
    return Api(HttpServer(url), "k").events(path, **arguments)


async def test_events_are_read_as_they_were_sent(server: str) -> None:
    found = [each async for each in events(server, "/events", after="7.2")]

    assert found == [
        StreamEvent(id="1.1", name="7.2", data={"key": "k", "body": "", "text": "é\n"}),
        StreamEvent(id="1.2", name="last", data={}),
    ]


async def test_what_begins_with_a_body_is_told_too(server: str) -> None:
    stream = events(server, "/run", body={"inputs": {"a": 1}})

    first = await anext(stream)
    await stream.aclose()

    assert first.data["body"] == '{"inputs": {"a": 1}}'


async def test_who_has_seen_enough_hangs_up(server: str) -> None:
    stream = events(server, "/hangs")

    first = await anext(stream)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await stream.aclose()

    assert first.name == "none"


async def test_who_hangs_up_before_there_is_a_connection_asks_for_nothing(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins, may_go_on = threading.Event(), threading.Event()

    class Slow(http.client.HTTPConnection):
        def connect(self) -> None:
            begins.set()
            may_go_on.wait(PATIENCE_SECONDS)
            super().connect()

    at = urlsplit(server)
    slow = Slow(at.hostname or "", at.port)
    monkeypatch.setattr("deploy.client.servers.connect", lambda url, seconds: (slow, "/hangs"))

    reading = asyncio.create_task(anext(events(server, "")))
    await asyncio.to_thread(begins.wait, PATIENCE_SECONDS)
    reading.cancel()
    await asyncio.sleep(0)
    may_go_on.set()
    done, _ = await asyncio.wait({reading}, timeout=PATIENCE_SECONDS)

    assert done == {reading}


async def test_a_refusal_says_why(server: str) -> None:
    with pytest.raises(ApiRefused, match="^No$"):
        await anext(events(server, "/refused"))


async def test_what_is_no_event_ends_them(server: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(Unreachable, match="have ended"):
            [each async for each in events(server, "/garbled")]


async def test_nobody_there_is_a_sentence() -> None:
    with pytest.raises(Unreachable, match="have ended"):
        await anext(events("http://127.0.0.1:1", "/events"))


async def test_an_answer_that_comes_before_a_file_is_read_is_heard(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(20_000_000))
    answer = b'HTTP/1.1 413 Too Large\r\ncontent-length: 14\r\n\r\n{"error":"No"}'

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            with listener.accept()[0] as connection:
                connection.recv(1_000)
                connection.sendall(answer)

        refusing = threading.Thread(target=refuse)
        refusing.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ApiRefused, match="^large: No$"):
            await Api(HttpServer(url), "k").upload(tmp_path / "large")
        refusing.join()
