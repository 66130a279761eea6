"""A Redis whose latest writes are cut off, and runs whose records show inconsistencies."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import redis
from aiohttp import web

from engine.access.tiers import TierTerms
from engine.errors import EngineError
from engine.executions.statuses import TERMINAL
from engine.graph.plan import Plan
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.executions.record_fields import parse_rows
from engine.store.redis import keyspace
from engine.store.redis.record_packing import unpack
from tests.conftest import RedisServer
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.redis.installation import mark

PRICE = 11
"""Credits for one call of `own`, 0.010 USD, for an Enterprise account, whose markup is 1.1."""


class CutRedis(RedisServer):
    """A server with an append-only file that can be cut back to an earlier length."""

    def __init__(self, appendfsync: str = "no") -> None:
        super().__init__(
            *("--appendonly", "yes", "--appendfsync", appendfsync),
            *("--auto-aof-rewrite-percentage", "0"),
        )

    def begin(self) -> None:
        """Start it, marked as the tests' installation."""
        self.start()
        with redis.Redis.from_url(self.url) as client:
            mark(client)

    @property
    def length(self) -> int:
        """Return the bytes of the file."""
        return self.file.stat().st_size

    @property
    def file(self) -> Path:
        """Return the file that grows; no other one changes."""
        [found] = (self.folder / "appendonlydir").glob("*.incr.aof")
        return found

    async def cut(self, length: int) -> None:
        """Kill the server, cut its file back and start it again."""
        self.kill()
        with self.file.open("r+b") as file:
            file.truncate(length)
        await asyncio.to_thread(self.start)


class Numbering:
    """An HTTP server with a new answer each time: its number and the body of the call."""

    def __init__(self) -> None:
        self.url = ""
        self._count = 0

    async def answer(self, request: web.Request) -> web.Response:
        self._count += 1
        number = self._count
        body = await request.text()
        await asyncio.sleep(0.05 * (number % 7))
        return web.Response(text=f"{number}[{body}]")


@contextlib.asynccontextmanager
async def numbering() -> AsyncIterator[Numbering]:
    """Run such a server on loopback."""
    server = Numbering()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        yield server
    finally:
        await runner.cleanup()


def line(url: str, count: int) -> Graph:
    """Return so many times a paid node and a call, in sequence."""
    graph, before = Graph("who"), "in.who"
    for number in range(count):
        graph.node(f"m{number}", "customModel", model="own")
        graph.node(f"h{number}", "httpRequest", url=url, method="POST")
        graph.wire(f"{before} > m{number}.prompt-in", f"m{number}.text-out > h{number}.body-in")
        before = f"h{number}.response-out"
    return graph.node("out", "responseOutput").wire(f"{before} > out.result-in")


def fan(url: str, count: int) -> Graph:
    """Return a call, followed by paid nodes beside expressions, which workers share."""
    graph = Graph("who").node("h", "httpRequest", url=url, method="POST")
    graph.node("out", "responseOutput").wire("in.who > h.body-in")
    for number in range(count):
        graph.node(f"t{number}", "transform", expression="'{' + value + '}'")
        graph.node(f"m{number}", "customModel", model="own")
        graph.wire(f"h.response-out > t{number}.value-in")
        graph.wire(f"t{number}.value-out > m{number}.prompt-in")
        graph.wire(f"m{number}.text-out > out.result-in")
    return graph


WRAPPED = {"customModel": ("<", ">"), "httpRequest": ("[", "]"), "transform": ("{", "}")}
"""Function that shows a node's output for its input."""


class Auditor:
    """Checks the records once all executions have ended."""

    def __init__(self, store: Store, account: Account, terms: TierTerms) -> None:
        self._store = store
        self._account = account
        self._terms = terms

    async def ids(self) -> list[str]:
        """Return all executions on record."""
        key = keyspace.account_executions(self._account.id)
        return [name.decode() for name in await self._store.client.send("ZRANGE", key, 0, -1)]

    async def check(self, seconds: float) -> int:
        """Wait until all have ended and check that all agree; return the number of executions."""
        spent = 0
        ids = await self.ids()
        for execution_id in ids:
            spent += await self._check_one(execution_id, seconds)
        wallet = await self._store.wallets.get(self._account.id, self._terms)
        assert await self._store.wallets.check(self._account.id) == []
        assert (wallet.balance, wallet.reserved) == (self._terms.allowance - spent, 0)
        return len(ids)

    async def _check_one(self, execution_id: str, seconds: float) -> int:
        """Return the cost of an execution, which must be that of its nodes."""
        execution = await eventually(
            lambda: self._store.executions.get(self._account.id, execution_id),
            lambda found: found.status in TERMINAL,
            timeout=seconds,
            pause=0.05,
        )
        record = await self._store.walks.records(self._account.id, execution_id)
        assert execution.status.value == "completed", record
        assert {node.status.value for node in execution.nodes} == {"completed"}, record
        _, plan = await self._store.workflows.plan_of(
            self._account.id, str(execution.workflow_slug), execution.workflow_version
        )
        costs = {node.index: node.credits_cost or 0 for node in execution.nodes}
        assert {i for i, cost in costs.items() if cost} == set(plan.models), record
        assert set(costs.values()) <= {0, PRICE}, record
        assert execution.credits_cost == sum(costs.values()), record
        check_values(plan, record, execution.result)
        return execution.credits_cost


def check_values(plan: Plan, record: dict[str, bytes], result: Any) -> None:
    """Check that each node's output follows from the recorded ones, and so does the result."""
    outputs = {
        row.index: unpack(row.outputs)
        for row in parse_rows(record).values()
        if isinstance(row.outputs, bytes)
    }
    for node in plan.nodes:
        inputs = [outputs[wire.source][wire.output] for wire in node.in_edges]
        if node.index == plan.response_output:
            shown = next(iter(result.values())) if isinstance(result, dict) else result
            assert shown == (inputs if len(inputs) > 1 else inputs[0]), record
        elif node.type.type in WRAPPED:
            before, after = WRAPPED[node.type.type]
            assert f"{before}{inputs[0]}{after}" in str(outputs[node.index]), record


class Load:
    """Runs that are started one after the other, with pauses in seconds."""

    def __init__(
        self, runner: Runner, slugs: list[str], terms: TierTerms, *, pause: float = 0.02
    ) -> None:
        self._runner = runner
        self._pause = pause
        self._slugs = slugs
        self._terms = terms
        self.accepted: dict[str, float] = {}
        """Executions, and when their caller was told, by the monotonic clock."""

    @property
    def begun(self) -> int:
        """Return the number of accepted runs."""
        return len(self.accepted)

    async def run(self) -> None:
        """Start runs until cancelled, even when Redis fails."""
        while True:
            slug = self._slugs[self.begun % len(self._slugs)]
            with contextlib.suppress(EngineError):
                inputs = {"who": f"run{self.begun}"}
                name = await self._runner.begin(slug, inputs, terms=self._terms)
                self.accepted[name] = time.monotonic()
            await asyncio.sleep(self._pause)


def cut_settings(url: str, folder: Path, secret_key: str) -> Settings:
    """Return the workers' settings."""
    return Settings(
        redis_url=url,
        allow_private_urls=True,
        cpu_slots=1,
        secret_key=secret_key,
        media_url=(folder / "media").as_uri(),
        media_free_bytes=0,
    )
