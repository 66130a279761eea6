"""Use of a run: of a short one at several numbers of callers, with models, and with a webhook."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from deploy.net.http_client import call
from tests.benchmarks.client import Caller, Endpoint, Load
from tests.benchmarks.graphs import documents
from tests.benchmarks.scale.fleet import Fleet
from tests.benchmarks.scale.requests import counting
from tests.benchmarks.scale.usage import Use, use_between
from tests.conftest import free_port
from tests.support.factories import Graph

WARM_UP_SECONDS = 0.3
MODELS = 3
CAPABILITIES = ("workflow:*", "model:run", "webhook:receive")
PATIENCE_SECONDS = 60.0
SAMPLED_RUNS = 64
ROUNDS = 3
"""Measurements of each kind of run, in turn; the one that was least disturbed counts."""
OK, ACCEPTED = 200, 202


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Account with a key, and the slugs of its workflows."""

    key: str
    key_id: str
    slugs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Resources and requests of parts without work, per second."""

    use: Use
    requests: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUse:
    """Use of one run, without that of the idle parts, and the requests to Redis that it takes."""

    runs: int
    requests: float
    """Commands that clients send; a script counts as one."""
    use: Use

    @property
    def cpu(self) -> float:
        """Return the CPU seconds of all processes."""
        return self.use.redis_cpu + self.use.gateway_cpu + self.use.worker_cpu


def make_customer(fleet: Fleet) -> Customer:
    """Create an account without limits, its key, and the workflows of the measurements."""
    account = fleet.command(
        *("account", "create", "--email", "scale@example.org", "--tier", "enterprise"),
        *("--credits", "1000000000"),
    )["id"]
    words = [word for name in CAPABILITIES for word in ("--capability", name)]
    made = fleet.command("key", "create", "--account", account, *words)
    slugs = {}
    for name, body in (("w1", documents("http://unused", 0)["w1"]), ("models", models_graph())):
        url = f"http://127.0.0.1:{fleet.gateway_port}/api/workflows"
        status, answer = call("POST", url, key=made["key"], body=body)
        if status != 201:
            raise RuntimeError(f"{name}: {answer}")
        slugs[name] = answer["slug"]
    return Customer(key=made["key"], key_id=made["id"], slugs=slugs)


def models_graph() -> Any:
    """Return a document with three calls of a model, one after the other."""
    graph, source = Graph("name"), "in.name"
    for number in range(MODELS):
        graph.node(f"t{number}", "textBox", text="Say something about {{ a }}")
        graph.node(f"m{number}", "customModel", model="gpt-mini")
        graph.wire(f"{source} > t{number}.a", f"t{number}.text-out > m{number}.prompt-in")
        source = f"m{number}.text-out"
    graph.node("out", "responseOutput").wire(f"{source} > out.result-in")
    return graph.body("Three models")


class Drive:
    """Callers of one workflow, who each run it again and again."""

    def __init__(self, fleet: Fleet, customer: Customer, name: str, query: str = "") -> None:
        endpoint = Endpoint(
            host="127.0.0.1",
            port=fleet.gateway_port,
            path=f"/api/workflows/{customer.slugs[name]}/run{query}",
            headers=(f"x-api-key: {customer.key}",),
        )
        self._load = Load(endpoint, lambda _: None)
        body = json.dumps({"inputs": {"name": "Ada"}})
        lines = (f"POST {endpoint.path} HTTP/1.1", f"Host: 127.0.0.1:{fleet.gateway_port}")
        head = "\r\n".join((*lines, "Content-Type: application/json", *endpoint.headers))
        self._request = f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        self._status = ACCEPTED if query else OK
        self.count = 0

    async def run(self, callers: int, seconds: float) -> None:
        """Run for a while. Raises AssertionError for an answer that is none."""
        connections = await self._load.connect(callers)
        until = asyncio.get_running_loop().time() + seconds
        await asyncio.gather(*(self._repeat(each, until) for each in connections))
        for each in connections:
            each.close()

    async def run_some(self, callers: int, runs: int) -> None:
        """Make at least so many runs."""
        connections = await self._load.connect(callers)
        end = self.count + runs
        await asyncio.gather(*(self._repeat_to(each, end) for each in connections))
        for each in connections:
            each.close()

    async def _repeat(self, caller: Caller, until: float) -> None:
        while asyncio.get_running_loop().time() < until:
            await self._one(caller)

    async def _repeat_to(self, caller: Caller, end: int) -> None:
        while self.count < end:
            await self._one(caller)

    async def _one(self, caller: Caller) -> None:
        self.count += 1
        status, answer = await caller.post(self._request)
        assert status == self._status, answer[:300]


async def measure_runs(
    fleet: Fleet, customer: Customer, name: str, callers: int, seconds: float, idle: Idle
) -> RunUse:
    """Measure synchronous runs; `idle` is taken off."""
    drive = Drive(fleet, customer, name)
    await drive.run(callers, WARM_UP_SECONDS)
    before, first = fleet.read(), drive.count
    await drive.run(callers, seconds)
    after, runs = fleet.read(), drive.count - first
    async with counting(fleet) as counted:
        sampled = drive.count
        await drive.run_some(callers, SAMPLED_RUNS)
    requests = counted.requests(idle.requests) / (drive.count - sampled)
    return _per_run(runs, use_between(before, after), idle, requests)


def least_disturbed(found: Sequence[RunUse]) -> RunUse:
    """Return the measurement with the least CPU: other load of a machine only adds some."""
    return min(found, key=lambda each: each.cpu)


async def measure_webhooks(
    fleet: Fleet, customer: Customer, callers: int, seconds: float, idle: Idle
) -> RunUse:
    """Measure runs in the background whose ends are told to a webhook, until all are told."""
    async with receiving() as receiver:
        place = ("--url", receiver.url)
        await asyncio.to_thread(fleet.command, "key", "webhook", customer.key_id, *place)
        drive = Drive(fleet, customer, "w1", "?async=true")
        await drive.run(callers, WARM_UP_SECONDS)
        await receiver.wait(drive.count)
        before, first = fleet.read(), drive.count
        await drive.run(callers, seconds)
        await receiver.wait(drive.count)
        after, runs = fleet.read(), drive.count - first
        async with counting(fleet) as counted:
            sampled = drive.count
            await drive.run_some(callers, SAMPLED_RUNS)
            await receiver.wait(drive.count)
    requests = counted.requests(idle.requests) / (drive.count - sampled)
    return _per_run(runs, use_between(before, after), idle, requests)


def _per_run(runs: int, use: Use, idle: Idle, requests: float) -> RunUse:
    return RunUse(runs=runs, requests=requests, use=(use - idle.use * use.seconds) / runs)


class Receiver:
    """Answers each request with 200, and counts them."""

    def __init__(self) -> None:
        self.port = free_port()
        self.count = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def wait(self, count: int) -> None:
        """Wait until so many requests have come. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.count < count:
                await asyncio.sleep(0.01)


class _Connection(asyncio.Protocol):
    """Connection of a sender of webhooks, which waits for each answer."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if end and length and len(body) >= int(length[1]):
            self._data = b""
            self._receiver.count += 1
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run a receiver of webhooks while the context lasts."""
    receiver = Receiver()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(receiver), "127.0.0.1", receiver.port)
    try:
        yield receiver
    finally:
        server.close()
