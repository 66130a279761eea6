"""Faults of providers and the nodes that wait for them, with and without streams."""

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.models.registry import use_models
from engine.process.pool import Pool
from engine.store.redis import keyspace
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.factories import Runner
from tests.support.http.providers import Provider, a_provider, a_stub, provided
from tests.support.http.raw_server import MEGABYTE, Holding, Stub, answer, bomb, serving
from tests.support.models.provider_walker import PRICE, ProviderWalker, asking
from tests.support.models.streams import DONE, STOP, delta, stream, wire
from workers.outbound import connecting
from workers.outbound.client import Egress

SAID = {"choices": [{"message": {"content": "Hello"}}]}
HELLO = (delta("Hel"), delta("lo"), STOP, DONE)
CHUNKED = "Transfer-Encoding: chunked"
STREAM = "Content-Type: text/event-stream"
JSON = "Content-Type: application/json"


def says(provider_walker: ProviderWalker) -> web.Response:
    """Return a greeting, whole or as events."""
    return stream(*HELLO) if provider_walker.streams else web.json_response(SAID)


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def provider_walker(
    request: pytest.FixtureRequest, runner: Runner, egress: Egress
) -> Iterator[ProviderWalker]:
    with use_models([provided("openai", '\nmodel = "any"')]):
        yield ProviderWalker(
            runner=runner, egress=egress, pool=Pool(slots=1), streams=request.param
        )


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with a_provider() as provider:
        yield provider


def failed(execution: Execution) -> tuple[str, int]:
    """Return the failure code of the node, and its number of attempts."""
    node = execution.nodes[0]
    assert execution.status is ExecutionStatus.FAILED and node.error is not None
    return node.error["code"], node.attempts


# -- failures that pass ---------------------------------------------------------------------------


@pytest.mark.F35a
async def test_a_provider_in_trouble_is_asked_as_often_as_the_node_says(
    provider_walker: ProviderWalker, provider: Provider
) -> None:
    provider.answers = [web.json_response({"error": "Down"}, status=503)]

    execution = await provider_walker.run(
        asking(provider.url, retry={"attempts": 3, "backoff": 0.1})
    )

    assert failed(execution) == ("PROVIDER_UNAVAILABLE", 3)
    assert len(provider.asked) == 3
    first, second, third = (each.at for each in provider.asked)
    for pause, due in ((second - first, 0.1), (third - second, 0.2)):
        assert 0.8 * due * 0.98 <= pause <= due * 1.2 + 0.2
    assert await provider_walker.paid() == 0


@pytest.mark.F35a
async def test_a_pause_that_a_provider_asks_for_is_not_cut_short(
    provider_walker: ProviderWalker, provider: Provider
) -> None:
    refusal = web.json_response({"error": "Slow"}, status=429, headers={"retry-after-ms": "200"})
    provider.answers = [refusal, says(provider_walker)]

    execution = await provider_walker.run(asking(provider.url, retry={"attempts": 2, "backoff": 0}))

    assert execution.result == {"text": "Hello"}
    first, second = (each.at for each in provider.asked)
    assert second - first >= 0.2
    assert await provider_walker.paid() == PRICE


@pytest.mark.F35a
async def test_an_answer_that_is_reset_half_way_is_asked_for_again(
    provider_walker: ProviderWalker, stub: Stub
) -> None:
    head = STREAM if provider_walker.streams else JSON
    stub.reply, stub.pause, stub.then_reset = [*answer(head, "Content-Length: 90"), b""], 0.02, True
    stub.reply[0] += wire(delta("Hel")) if provider_walker.streams else b'{"choices": ['

    execution = await provider_walker.run(asking(stub.url, retry={"attempts": 2, "backoff": 0}))

    assert failed(execution) == ("PROVIDER_UNAVAILABLE", 2)
    assert stub.connections == 2
    assert provider_walker.pieces == (["Hel", "Hel"] if provider_walker.streams else [])


@pytest.mark.slow
@pytest.mark.F35a
async def test_a_provider_that_takes_no_connection_is_given_up_and_asked_again(
    provider_walker: ProviderWalker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.2)
    provider_walker.egress = Egress(allow_private=True)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as filler:
        filler.connect(full.getsockname())

        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        execution = await provider_walker.run(asking(url, retry={"attempts": 2, "backoff": 0}))
    await provider_walker.egress.close()

    assert failed(execution) == ("PROVIDER_UNAVAILABLE", 2)
    message = "The provider: The server did not take the connection in time"
    assert execution.nodes[0].error == {"code": "PROVIDER_UNAVAILABLE", "message": message}


# -- answers that do not end ----------------------------------------------------------------------


@pytest.mark.F35b
async def test_a_byte_a_second_for_ever_ends_at_the_nodes_deadline(
    provider_walker: ProviderWalker,
) -> None:
    async with a_stub("drip") as url:
        execution = await provider_walker.run(asking(f"{url}/v1", timeoutSeconds=1.5))

    assert failed(execution) == ("PROVIDER_TIMEOUT", 1)
    assert 1 <= (execution.duration_ms or 0) / 1000 <= 30
    assert await provider_walker.paid() == 0


@pytest.mark.F35e
async def test_an_answer_that_is_whole_too_late_is_left_and_costs_nothing(
    provider_walker: ProviderWalker, stub: Stub
) -> None:
    head, body = (
        (STREAM, wire(*HELLO)) if provider_walker.streams else (JSON, msgspec.json.encode(SAID))
    )
    stub.reply, stub.pause = answer(head, f"Content-Length: {len(body)}"), 1
    stub.reply += [body[at : at + 20] for at in range(0, len(body), 20)]

    execution = await provider_walker.run(asking(stub.url, timeoutSeconds=1.5))

    assert failed(execution) == ("PROVIDER_TIMEOUT", 1)
    assert execution.result is None
    assert await provider_walker.paid() == 0


async def test_an_execution_that_is_cancelled_hangs_up_at_once(
    provider_walker: ProviderWalker,
) -> None:
    beginning = wire(delta("Hel")) if provider_walker.streams else b'{"choices": ['
    head = STREAM if provider_walker.streams else JSON
    async with serving(Holding(*answer(head, CHUNKED), chunk(beginning))) as stub:
        walker, execution_id = await provider_walker.begin(asking(stub.url))
        await asyncio.wait_for(stub.has_begun.wait(), PATIENCE_SECONDS)
        account_id = provider_walker.runner.account.id

        await provider_walker.runner.store.executions.cancel(account_id, execution_id)
        walker.cancel(keyspace.reference(account_id, execution_id))

        await asyncio.wait_for(stub.has_gone.wait(), PATIENCE_SECONDS)
        execution = await provider_walker.runner.end(execution_id)
        await walker.drain(1)

    assert execution.status is ExecutionStatus.CANCELLED
    assert await provider_walker.paid() == 0


# -- invalid answers ------------------------------------------------------------------------------

GARBAGE = {
    "invalid": b'{"choices": [',
    "wrong": b'{"choices": 5}',
    "nan": b'{"choices": [{"message": {"content": NaN}, "delta": {"content": NaN}}]}',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "bytes": b'{"choices": [{"message": {"content": "\xff"}, "delta": {"content": "\xff"}}]}',
    "surrogate": b'{"choices": [{"message": "\\ud800", "delta": {"content": "\\ud800"}}]}',
    "empty": b"",
}


def garbage(body: bytes, *, streams: bool) -> bytes:
    """Return an answer with such a body, or such an event in a stream."""
    sent = wire(body, DONE) if streams else body
    head = STREAM if streams else JSON
    return answer(head, f"Content-Length: {len(sent)}", body=sent)[0]


@pytest.mark.F35d
async def test_garbage_fails_the_node_and_nothing_else(
    provider_walker: ProviderWalker, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.pages = {
        f"/{name}/chat/completions": garbage(body, streams=provider_walker.streams)
        for name, body in GARBAGE.items()
    }
    page = answer("Content-Type: text/html", "Content-Length: 6", body=b"<html>")
    many = answer(*(f"X-{n}: y" for n in range(1_000)), "Content-Length: 2", body=b"{}")
    lying = answer(STREAM if provider_walker.streams else JSON, "Content-Length: 2", body=b"{}more")
    others = {"page": page, "headers": many, "lying": lying}
    stub.pages |= {f"/{name}/chat/completions": found[0] for name, found in others.items()}
    stub.then_close = True

    with caplog.at_level(logging.WARNING):
        ended = {
            name: await provider_walker.run(asking(f"{stub.url}/{name}"))
            for name in [*GARBAGE, *others]
        }

    codes = {name: failed(each) for name, each in ended.items()}
    assert codes == dict.fromkeys(codes, ("PROVIDER_BAD_RESPONSE", 1))
    assert [each for each in caplog.records if each.exc_info or each.levelno >= logging.ERROR] == []
    errors = [each.nodes[0].error for each in ended.values()]
    assert msgspec.json.decode(msgspec.json.encode(errors)) == errors
    assert await provider_walker.paid() == 0


# -- answers that are too large -------------------------------------------------------------------


class Flood(Stub):
    """Sends a gibibyte in the form that the path names, and counts callers that hung up early."""

    hung_up = 0

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        _, name, *_ = self.requests[-1].split(b" ")[1].decode().split("/")
        head, piece, times = FLOODS[name]
        writer.write(head)
        try:
            for _ in range(times):
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            self.hung_up += 1
            raise
        writer.close()


def chunk(data: bytes) -> bytes:
    """Return a piece of a body without an announced length."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


MANY = wire(delta("x" * 1_000)) * 900
FLOODS = {
    "small": (answer(JSON, "Connection: close")[0], b"{}", 1),
    "chunks": (answer(JSON, CHUNKED)[0], chunk(b"x" * MEGABYTE), 1_024),
    "length": (answer(JSON, "Content-Length: 1073741824")[0], b"x" * MEGABYTE, 1_024),
    "bomb": (answer(JSON, "Content-Encoding: gzip", "Connection: close")[0], bomb(), 1),
    "line": (answer(STREAM, CHUNKED)[0], chunk(b"x" * MEGABYTE), 1_024),
    "events": (answer(STREAM, CHUNKED)[0], chunk(MANY), 1_024),
    "comments": (answer(STREAM, CHUNKED)[0], chunk((b":" * 999 + b"\n") * 1_000), 1_024),
    "packed": (answer(STREAM, "Content-Encoding: gzip", "Connection: close")[0], bomb(), 1),
}
GROWTH = """
import asyncio, sys
from engine.errors.nodes import NodeFailed
from tests.support.process.peak_memory import peak_megabytes as peak
from tests.support.http.providers import KEY, provided
from workers.outbound.client import Egress
from workers.providers.base import ModelCall; from workers.providers.model_caller import ModelCaller

async def main():
    egress, model = Egress(allow_private=True), provided("openai", '\\nmodel = "any"')
    url, *names = sys.argv[1:]
    before = None
    for name in names:
        environ = {"PROVIDER_URL": f"{url}/{name}", "PROVIDER_KEY": KEY}
        for model_call in (ModelCall(), ModelCall(publish_text=str)):
            try:
                await ModelCaller(egress, environ=environ).call(model, {"prompt": "x"}, model_call)
            except NodeFailed as failed:
                print(name, failed.code)
        before = before or peak()
    print("growth", peak() - before)
    await egress.close()

asyncio.run(main())
"""


@pytest.mark.F35c
async def test_a_gibibyte_costs_little_memory_and_the_connection() -> None:
    async with serving(Flood()) as stub:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", GROWTH, stub.url, *FLOODS),
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        output, _ = await asyncio.wait_for(child.communicate(), 60)

    *lines, growth = output.decode().splitlines()
    assert {line.split()[1] for line in lines} == {"PROVIDER_BAD_RESPONSE"}
    assert len(lines) == 2 * len(FLOODS)
    assert int(growth.split()[1]) <= 64
    assert stub.hung_up == 2 * (len(FLOODS) - 3)
