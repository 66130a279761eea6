"""Surroundings of a client in scenarios: a proxy with faults, a receiver of webhooks, a target."""

import asyncio
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from aiohttp import ClientSession, ClientTimeout, web

from tests.support.http.clients.fault_proxy import FaultProxy, Rule, Seen

DELIVERY_SECONDS = 60.0


class Lab:
    """One lab for one stack, in a thread of its own."""

    def __init__(self, upstream: str) -> None:
        self.proxy = FaultProxy(upstream)
        self.proxy_url = ""
        self.url = ""
        self.secret = ""
        self.calls: Counter[str] = Counter()
        self._deliveries: dict[str, dict[str, Any]] = {}
        self._arrived = asyncio.Condition()

    def begin(self) -> dict[str, str]:
        """Forget rules and requests; return the variables of a new scenario."""
        self.proxy.rules, self.proxy.seen = [], []
        mark = uuid.uuid4().hex
        return {"mark": mark, "hooks": f"{self.url}/hooks", "secret": self.secret}

    @property
    def seen(self) -> list[Seen]:
        """Requests since the scenario began, in the order in which they came."""
        return sorted(self.proxy.seen, key=lambda each: each.at)

    async def control(self, request: web.Request) -> web.Response:
        """Take the rules of a scenario."""
        members = await request.json()
        self.proxy.rules = [Rule.of(each) for each in members["rules"]]
        return web.json_response({})

    async def take_delivery(self, request: web.Request) -> web.Response:
        """Receive a webhook."""
        body = await request.read()
        members = await request.json()
        delivery = {
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": body.decode(),
        }
        async with self._arrived:
            self._deliveries[str(members.get("batchId") or members.get("executionId"))] = delivery
            self._arrived.notify_all()
        return web.Response(status=204)

    async def give_delivery(self, request: web.Request) -> web.Response:
        """Wait for the webhook of an execution or a batch."""
        members = await request.json()
        [wanted] = members.values()
        async with asyncio.timeout(DELIVERY_SECONDS), self._arrived:
            await self._arrived.wait_for(lambda: wanted in self._deliveries)
        return web.json_response(self._deliveries[wanted])

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a call of the workflow `scenario-call`."""
        query = request.query
        mark = query.get("mark", "")
        self.calls[mark] += 1
        await asyncio.sleep(float(query.get("seconds") or 0))
        is_first = not mark or self.calls[mark] == 1
        status = int(query.get("status") or 200) if is_first else 200
        return web.json_response({"ok": status < 400}, status=status)

    async def serve(self, ready: threading.Event, end: asyncio.Event) -> None:
        """Serve until the end."""
        lab = web.Application()
        lab.router.add_post("/faults", self.control)
        lab.router.add_post("/delivery", self.give_delivery)
        lab.router.add_post("/hooks", self.take_delivery)
        lab.router.add_get("/answer", self.answer)
        proxy = web.Application(client_max_size=64 << 20)
        proxy.router.add_route("*", "/{path:.*}", self.proxy.answer)
        async with ClientSession(
            timeout=ClientTimeout(total=None), auto_decompress=False
        ) as session:
            self.proxy.session = session
            runners = [web.AppRunner(each, shutdown_timeout=0.1) for each in (lab, proxy)]
            urls = [await _listen(runner) for runner in runners]
            self.url, self.proxy_url = urls
            ready.set()
            await end.wait()
            for runner in runners:
                await runner.cleanup()


async def _listen(runner: web.AppRunner) -> str:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


@contextmanager
def lab_before(upstream: str) -> Iterator[Lab]:
    """Run a lab before a stack while the context lasts."""
    with lab_in_thread(lambda: Lab(upstream)) as lab:
        yield lab


class ServedLab(Protocol):
    """Lab that an event loop of its own serves."""

    async def serve(self, ready: threading.Event, end: asyncio.Event) -> None:
        """Serve until the end."""
        ...


L = TypeVar("L", bound=ServedLab)


@contextmanager
def lab_in_thread(make: Callable[[], L]) -> Iterator[L]:
    """Serve a lab in a thread while the context lasts; `make` is called on its event loop."""
    ready = threading.Event()
    state: dict[str, Any] = {}

    async def main() -> None:
        state["lab"], state["end"] = make(), asyncio.Event()
        state["loop"] = asyncio.get_running_loop()
        await state["lab"].serve(ready, state["end"])

    thread = threading.Thread(target=asyncio.run, args=(main(),), daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield state["lab"]
    finally:
        state["loop"].call_soon_threadsafe(state["end"].set)
        thread.join(30)
