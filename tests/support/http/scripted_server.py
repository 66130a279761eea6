"""A local HTTP server with scripted answers, which remembers its calls."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

from aiohttp import web


class Target:
    """Target of HTTP nodes in tests: `/echo`, `/slow/<seconds>`, `/together/<calls>`, …"""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        """Calls by path and query."""
        self.slow = 0
        """Slow calls that have begun; a call with `?after=2` is answered once there are two."""
        self.aborted = 0
        self.url = ""
        self._left: dict[str, int] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a call by its path."""
        self.calls[request.path_qs] += 1
        kind, *rest = request.path.strip("/").split("/")
        while self.slow < int(request.query.get("after", "0")):
            await asyncio.sleep(0.002)
        while kind == "together" and self.calls.total() < int(rest[0]):
            await asyncio.sleep(0.002)
        if kind == "slow":
            await self._sleep(float(rest[0]))
        if kind == "flaky" and self._fails_again(request.path, int(rest[0])):
            return web.Response(status=503, text="not yet")
        if kind == "status":
            return web.Response(status=int(rest[0]), text="as you wish")
        if kind == "large":
            return web.Response(text="x" * int(rest[0]))
        number = int(request.query.get("n", "0"))
        return web.json_response({"n": number, "kind": kind})

    async def _sleep(self, seconds: float) -> None:
        self.slow += 1
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.aborted += 1
            raise

    def _fails_again(self, path: str, failures: int) -> bool:
        left = self._left.setdefault(path, failures)
        self._left[path] = left - 1
        return left > 0


@contextlib.asynccontextmanager
async def serving(target: Target | None = None, host: str = "127.0.0.1") -> AsyncIterator[Target]:
    """Run a target on an address, by default of loopback, while the context lasts."""
    target = target or Target()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", target.answer)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    target.url = f"http://{host}:{runner.addresses[0][1]}"
    try:
        yield target
    finally:
        await runner.cleanup()
