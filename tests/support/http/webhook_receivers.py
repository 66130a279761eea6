"""A receiver of webhooks on loopback with answers by path, which keeps its requests."""

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

MAX_RANDOM_FAILURES = 5


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request."""

    at: float
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Paths: `/ok`, `/status/<code>`, `/fails/<n>[/<seconds>]` (then 200), `/slow/<seconds>`,
    `/moved/<code>`, `/huge`, `/hang` (after the head), `/later/<seconds>` (429 with Retry-After
    once), `/random/<percent>`, `/thirds` (each third call fails).
    """

    url: str = ""
    received: list[Received] = field(default_factory=list)
    open: int = 0
    most_open: int = 0
    flooded: int = 0
    """Bytes of `/huge` that were read."""
    taken: set[str] = field(default_factory=set)
    """Ids of deliveries that were answered with 200."""
    is_quick: bool = False
    """Whether `/slow` answers at once, as a receiver that was slow before."""
    is_failing: bool = False
    """Whether all paths answer 503."""
    _seen: Counter[str] = field(default_factory=Counter)
    _ids: Counter[str] = field(default_factory=Counter)
    _random: random.Random = field(default_factory=lambda: random.Random(7))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(
            Received(at=time.time(), path=request.path, headers=headers, body=body)
        )
        self._seen[request.path] += 1
        self._ids[headers.get("webhook-id", "")] += 1
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            refused = web.Response(status=503) if self.is_failing else None
            response = refused or await self._answer(request)
        finally:
            self.open -= 1
        if response.status == 200:
            self.taken.add(headers.get("webhook-id", ""))
        return response

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        kind, *rest = request.path.strip("/").split("/")
        number = float(rest[0]) if rest else 0.0
        if kind == "status":
            return web.Response(status=int(number), text="as you wish")
        if kind == "fails" and self._seen[request.path] <= number:
            await asyncio.sleep(float(rest[1]) if rest[1:] else 0)
            return web.Response(status=500, text="not yet")
        if kind == "thirds" and self._seen[request.path] % 3 == 1:
            return web.Response(status=500, text="one in three")
        if kind == "random" and self._fails_at_random(request, number):
            return web.Response(status=503)
        if kind == "later" and self._seen[request.path] == 1:
            return web.Response(status=429, headers={"Retry-After": rest[0]})
        if kind == "moved":
            return web.Response(status=int(number), headers={"Location": f"{self.url}/ok"})
        if kind == "huge":
            return await self._flood(request)
        if kind == "hang":
            return await self._hang(request)
        if kind == "slow" and not self.is_quick:
            await asyncio.sleep(number)
        return web.Response(text="thank you")

    def _fails_at_random(self, request: web.Request, percent: float) -> bool:
        # Eight failures in a row end a delivery, which one of 15,000 deliveries would meet.
        tries = self.ids()[request.headers["webhook-id"]]
        return tries <= MAX_RANDOM_FAILURES and self._random.random() * 100 < percent

    async def _flood(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(1_600):
                await response.write(b"x" * 65_536)
                self.flooded += 65_536
        return response

    async def _hang(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"and then")
        await asyncio.sleep(30)
        return response

    def ids(self) -> Counter[str]:
        """Return the requests by `webhook-id`."""
        return self._ids


@contextlib.asynccontextmanager
async def receiving(host: str = "127.0.0.1") -> AsyncIterator[Receiver]:
    """Run a receiver on an address, by default of loopback, while the context lasts."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, host, 0, backlog=1024).start()
    receiver.url = f"http://{host}:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()
