"""What providers do to nodes that wait for them, whether answers come whole or as streams."""

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from engine import keyspace
from engine.capabilities import Role, Tier
from engine.executions import Execution, ExecutionStatus
from engine.models.manifest import Model
from engine.models.registry import use_models
from engine.queue import Pace
from engine.store.records import pack
from engine.tiers import load
from tests.factories import Graph, Runner
from tests.http_stub import Stub, answer, serving
from tests.providers import KEY, Provider, a_stub, provided
from tests.workers.models.streams import DONE, STOP, delta, stream, wire
from workers import http
from workers.executor import Executor
from workers.http import Egress
from workers.models import Answer, Errand, Models
from workers.pool import Pool
from workers.walker import Walker

TERMS = load().terms(Tier.PRO, Role.USER)
PRICE = 13
"""Of one call for 0.010 USD with the markup of a Pro account."""
SAID = {"choices": [{"message": {"content": "Hello"}}]}
HELLO = (delta("Hel"), delta("lo"), STOP, DONE)
CHUNKED = "Transfer-Encoding: chunked"
STREAM = "Content-Type: text/event-stream"
JSON = "Content-Type: application/json"


@dataclass(kw_only=True)
class Kitchen:
    """A walker whose models are streamed, or not, and what their texts came to on the way."""

    runner: Runner
    egress: Egress
    pool: Pool
    streams: bool
    told: list[str] = field(default_factory=list)

    async def call(self, model: Model, values: Mapping[str, Any], errand: Errand) -> Answer:
        """One call by a node, at the provider whose address its prompt ends with."""
        environ = {"PROVIDER_URL": values["prompt"].split()[-1], "PROVIDER_KEY": KEY}
        if self.streams:
            errand = replace(errand, tell_text=self.told.append)
        return await Models(self.egress, environ=environ).call(model, values, errand)

    async def run(self, url: str, **data: Any) -> Execution:
        """One execution of a node that asks the provider there."""
        graph = Graph().node("m", "customModel", model="own", prompt=f"Say hello at {url}", **data)
        graph.node("out", "responseOutput").wire("m.text-out > out.result-in")
        slug = await self.runner.save(graph)
        execution_id = await self.runner.begin(slug, terms=TERMS)
        walker = self._walker()
        walker.take(keyspace.reference(self.runner.account.id, execution_id))
        execution = await self.runner.end(execution_id, 30)
        await walker.drain(1)
        return execution

    def _walker(self) -> Walker:
        return Walker(
            store=self.runner.store,
            executor=Executor(self.egress, self.pool, self),
            worker_id="worker-1",
            cpu_slots=1,
            max_bytes=1_000_000,
            release=lambda: None,
            pace=Pace(),
        )

    async def paid(self) -> int:
        """What the account has paid, its ledger being right and nothing held any more."""
        store, account = self.runner.store, self.runner.account
        assert await store.wallets.check(account.id) == []
        wallet = await store.wallets.read(account.id, TERMS)
        assert wallet.reserved == 0
        return TERMS.allowance - wallet.balance

    def says(self, *values: Any) -> web.Response:
        """An answer, as events or whole."""
        return stream(*(values or HELLO)) if self.streams else web.json_response(SAID)


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def kitchen(request: pytest.FixtureRequest, runner: Runner, egress: Egress) -> Iterator[Kitchen]:
    with use_models([provided("openai", '\nmodel = "any"')]):
        yield Kitchen(runner=runner, egress=egress, pool=Pool(slots=1), streams=request.param)


@dataclass(kw_only=True)
class Timed(Provider):
    """Remembers when it was called."""

    times: list[float] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.times.append(asyncio.get_running_loop().time())
        return await super().answer(request)

    @property
    def pauses(self) -> list[float]:
        """Seconds between its calls."""
        return [
            later - earlier for earlier, later in zip(self.times, self.times[1:], strict=False)
        ]


@pytest.fixture
async def timed() -> AsyncIterator[Timed]:
    provider = Timed()
    async with provider.serving():
        yield provider


def failed(execution: Execution) -> tuple[str, int]:
    """The code with which the node failed, and after how many attempts."""
    node = execution.nodes[0]
    assert execution.status is ExecutionStatus.FAILED and node.error is not None
    return node.error["code"], node.attempts


# -- failures that pass ---------------------------------------------------------------------------


async def test_a_provider_in_trouble_is_asked_as_often_as_the_node_says(
    kitchen: Kitchen, timed: Timed
) -> None:
    timed.answers = [web.json_response({"error": "Down"}, status=503)]

    execution = await kitchen.run(timed.url, retry={"attempts": 3, "backoff": 0.2})

    assert failed(execution) == ("PROVIDER_UNAVAILABLE", 3)
    assert len(timed.asked) == 3
    for pause, due in zip(timed.pauses, [0.2, 0.4], strict=True):
        assert due * 0.98 <= pause <= due * 1.2 + 0.3
    assert await kitchen.paid() == 0


async def test_a_pause_that_a_provider_asks_for_is_not_cut_short(
    kitchen: Kitchen, timed: Timed
) -> None:
    refusal = web.json_response({"error": "Slow"}, status=429, headers={"retry-after-ms": "400"})
    timed.answers = [refusal, kitchen.says()]

    execution = await kitchen.run(timed.url, retry={"attempts": 2, "backoff": 0})

    assert execution.result == {"text": "Hello"}
    assert timed.pauses[0] >= 0.4
    assert await kitchen.paid() == PRICE


async def test_an_answer_that_is_reset_half_way_is_asked_for_again(
    kitchen: Kitchen, timed: Timed, stub: Stub
) -> None:
    head = STREAM if kitchen.streams else JSON
    stub.reply, stub.pause, stub.then_reset = [*answer(head, "Content-Length: 90"), b""], 0.02, True
    stub.reply[0] += wire(delta("Hel")) if kitchen.streams else b'{"choices": ['

    execution = await kitchen.run(stub.url, retry={"attempts": 2, "backoff": 0})

    assert failed(execution) == ("PROVIDER_UNAVAILABLE", 2)
    assert stub.connections == 2
    assert kitchen.told == (["Hel", "Hel"] if kitchen.streams else [])


async def test_a_provider_that_takes_no_connection_is_given_up_and_asked_again(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "CONNECT_SECONDS", 0.2)
    kitchen.egress = Egress(allow_private=True)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as filler:
        filler.connect(full.getsockname())

        execution = await kitchen.run(
            f"http://127.0.0.1:{full.getsockname()[1]}", retry={"attempts": 2, "backoff": 0}
        )
    await kitchen.egress.close()

    assert failed(execution) == ("PROVIDER_UNAVAILABLE", 2)
    message = "The provider: The server did not take the connection in time"
    assert execution.nodes[0].error == {"code": "PROVIDER_UNAVAILABLE", "message": message}


# -- answers that do not end ----------------------------------------------------------------------


@pytest.mark.parametrize("script", ["drip", "hang", "pace=1000"])
async def test_a_node_ends_at_its_deadline_whatever_drips(kitchen: Kitchen, script: str) -> None:
    if script == "pace=1000" and not kitchen.streams:
        script = "delay=60000"
    async with a_stub(script) as url:
        execution = await kitchen.run(f"{url}/v1", timeoutSeconds=1)

    assert failed(execution)[0] in ("PROVIDER_TIMEOUT", "timeout")
    assert 0.8 <= (execution.duration_ms or 0) / 1000 <= 3
    assert await kitchen.paid() == 0


async def test_an_answer_that_is_whole_too_late_is_left_and_costs_nothing(
    kitchen: Kitchen, stub: Stub
) -> None:
    head, body = (STREAM, wire(*HELLO)) if kitchen.streams else (JSON, msgspec.json.encode(SAID))
    stub.reply, stub.pause = answer(head, f"Content-Length: {len(body)}"), 0.15
    stub.reply += [body[at : at + 20] for at in range(0, len(body), 20)]

    execution = await kitchen.run(stub.url, timeoutSeconds=0.4)

    assert failed(execution) == ("PROVIDER_TIMEOUT", 1)
    assert execution.result is None
    assert await kitchen.paid() == 0


class Noticing(Stub):
    """Sends the beginning of an answer, and notices when the caller has gone."""

    def __init__(self, beginning: bytes) -> None:
        super().__init__(reply=[beginning])
        self.has_begun, self.has_gone = asyncio.Event(), asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self.reply[0])
        self.has_begun.set()
        while await reader.read(65_536):
            pass
        self.has_gone.set()
        writer.close()


async def test_an_execution_that_is_cancelled_hangs_up_at_once(kitchen: Kitchen) -> None:
    beginning = answer(STREAM if kitchen.streams else JSON, CHUNKED)[0] + _chunk(wire(delta("Hel")))
    async with serving(Noticing(beginning)) as stub:
        graph = Graph().node("m", "customModel", model="own", prompt=f"Hello at {stub.url}")
        graph.node("out", "responseOutput").wire("m.text-out > out.result-in")
        slug = await kitchen.runner.save(graph)
        execution_id = await kitchen.runner.begin(slug, terms=TERMS)
        walker, account_id = kitchen._walker(), kitchen.runner.account.id
        reference = keyspace.reference(account_id, execution_id)
        walker.take(reference)
        await asyncio.wait_for(stub.has_begun.wait(), 5)

        await kitchen.runner.store.executions.cancel(account_id, execution_id)
        walker.cancel(reference)

        await asyncio.wait_for(stub.has_gone.wait(), 1)
        execution = await kitchen.runner.end(execution_id, 5)
        await walker.drain(1)

    assert execution.status is ExecutionStatus.CANCELLED
    assert await kitchen.paid() == 0


# -- answers that are too large, or none ----------------------------------------------------------


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"
