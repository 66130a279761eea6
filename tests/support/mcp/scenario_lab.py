"""Surroundings of a client in scenarios of MCP: a proxy that drops connections, and a lab.

The lab does for a program the things for which a client has no calls: calls of the API, kills of
gateways, the way of a person through the page of consent. The workflow `scenario-call` calls it.
"""

import asyncio
import io
import os
import signal
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientSession, web
from PIL import Image

from deploy.net.http_client import Unreachable, call
from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.http.clients.expectations import find
from tests.support.http.clients.lab import lab_in_thread

UNTIL_SECONDS = 60.0
PAUSE_SECONDS = 0.05
CHUNK = 1 << 16


def picture() -> bytes:
    """Return a small PNG."""
    data = io.BytesIO()
    Image.new("RGB", (4, 3), "teal").save(data, "png")
    return data.getvalue()


def answers(url: str) -> bool:
    """Return whether a server answers with 200."""
    try:
        return call("GET", url)[0] == 200
    except Unreachable:
        return False


class DroppingProxy:
    """Passes bytes to a server until it is told to drop all connections."""

    def __init__(self, upstream: str) -> None:
        self._address = (urlsplit(upstream).hostname, urlsplit(upstream).port)
        self._open: set[asyncio.StreamWriter] = set()

    def drop(self) -> int:
        """Break all connections, without a word; return their number."""
        for writer in self._open:
            writer.transport.abort()
        return len(self._open) // 2

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(*self._address)
        except OSError:  # the gateways are being started again
            writer.transport.abort()
            return
        both = {writer, back}
        self._open |= both
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        self._open -= both

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(CHUNK):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


Consent = Callable[[str, Any], Mapping[str, Any]]
"""Goes the way of a person: the address of the client's browser, and the workflows to grant."""


class ScenarioLab:
    """One lab for one stack, in a thread of its own."""

    def __init__(self, stack: RunningStack) -> None:
        self.url = self.proxy_url = ""
        self.keys: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.consent: Consent | None = None
        self._stack = stack
        self._proxy = DroppingProxy(stack.url)
        self._picture = picture()

    def variables(self) -> dict[str, Any]:
        """Return the variables of a new scenario."""
        return {"mark": uuid.uuid4().hex, "keys": self.keys, "origin": self._stack.url}

    async def api(self, request: web.Request) -> web.Response:
        """Call the API; with `until`, again and again, until values are as expected."""
        members = await request.json()
        wanted: Mapping[str, Any] = members.get("until", {})
        async with asyncio.timeout(UNTIL_SECONDS):
            while True:
                status, answer = await self._call(members)
                saved = {"status": status, "body": answer}
                if all(find(path, saved) == value for path, value in wanted.items()):
                    return web.json_response(saved)
                await asyncio.sleep(PAUSE_SECONDS)

    async def _call(self, members: Mapping[str, Any]) -> tuple[int, Any]:
        key = self.keys[members.get("key", "main")]
        url = self._stack.url + members["path"]
        method = members.get("method", "GET")
        sent = {"json": members["body"]} if "body" in members else {}
        async with (
            ClientSession(headers={"x-api-key": key}) as session,
            session.request(method, url, **sent) as answer,
        ):
            is_json = answer.content_type == "application/json"
            return answer.status, await answer.json() if is_json else await answer.text()

    async def drop(self, request: web.Request) -> web.Response:
        """Drop the client's connections."""
        return web.json_response({"dropped": self._proxy.drop()})

    async def kill(self, request: web.Request) -> web.Response:
        """Kill all gateways, and wait until others serve."""
        await asyncio.to_thread(self._kill)
        return web.json_response({})

    def _kill(self) -> None:
        before = self._stack.part("gateway")
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        until(lambda: len(set(self._stack.part("gateway")) - set(before)) == len(before))
        until(lambda: answers(f"{self._stack.url}/readyz"))

    async def called(self, request: web.Request) -> web.Response:
        """Wait until `scenario-call` has called with a mark; tell how often it has."""
        mark = (await request.json())["mark"]
        async with asyncio.timeout(UNTIL_SECONDS):
            while not self.calls[mark]:
                await asyncio.sleep(PAUSE_SECONDS)
        return web.json_response({"calls": self.calls[mark]})

    async def exhaust(self, request: web.Request) -> web.Response:
        """Run a workflow until the account's window is used up."""
        members = await request.json()
        path = f"/api/workflows/{members['slug']}/run"
        call = {"path": path, "method": "POST", "body": {"inputs": {}}, "key": members["key"]}
        async with asyncio.timeout(UNTIL_SECONDS):
            while (await self._call(call))[0] != 429:
                pass
        return web.json_response({})

    async def grant(self, request: web.Request) -> web.Response:
        """Go the way of a person through the page of consent."""
        members = await request.json()
        assert self.consent is not None
        return web.json_response(
            await asyncio.to_thread(self.consent, members["url"], members["grant"])
        )

    async def pick(self, request: web.Request) -> web.Response:
        """Give the first object of a list that has these members."""
        members = await request.json()
        wanted = members["where"].items()
        fits = [
            each
            for each in members["from"] or []
            if all(each.get(name) == value for name, value in wanted)
        ]
        return web.json_response(fits[0] if fits else None)

    async def concat(self, request: web.Request) -> web.Response:
        """Join texts."""
        return web.json_response("".join((await request.json())["parts"]))

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a call of the workflow `scenario-call`."""
        query = request.query
        self.calls[query.get("mark", "")] += 1
        await asyncio.sleep(float(query.get("seconds") or 0))
        status = int(query.get("status") or 200)
        return web.json_response({"ok": status < 400}, status=status)

    async def show_picture(self, request: web.Request) -> web.Response:
        """Answer a call of the workflow `scenario-picture`."""
        return web.Response(body=self._picture, content_type="image/png")

    def _app(self) -> web.Application:
        app = web.Application()
        for path, verb in (
            ("/api", self.api),
            ("/drop", self.drop),
            ("/kill", self.kill),
            ("/called", self.called),
            ("/exhaust", self.exhaust),
            ("/consent", self.grant),
            ("/pick", self.pick),
            ("/concat", self.concat),
        ):
            app.router.add_post(path, verb)
        app.router.add_get("/answer", self.answer)
        app.router.add_get("/picture.png", self.show_picture)
        return app

    async def serve(self, ready: threading.Event, end: asyncio.Event) -> None:
        """Serve until the end."""
        runner = web.AppRunner(self._app(), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        proxy = await asyncio.start_server(self._proxy.connected, "127.0.0.1", 0)
        self.proxy_url = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        ready.set()
        await end.wait()
        proxy.close()
        self._proxy.drop()
        await runner.cleanup()


@contextmanager
def lab_beside(stack: RunningStack) -> Iterator[ScenarioLab]:
    """Run a lab beside a stack while the context lasts."""
    with lab_in_thread(lambda: ScenarioLab(stack)) as lab:
        yield lab
