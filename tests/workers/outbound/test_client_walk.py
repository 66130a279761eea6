"""Outbound calls of a running workflow."""

from dataclasses import replace

from engine.settings import Settings
from tests.support.factories import Graph, Runner, http_fan
from tests.support.http.raw_server import Stub, redirect
from workers.main import worker
from workers.walk.walker import Walker


async def test_a_url_that_was_allowed_when_saved_is_refused_when_it_runs(
    settings: Settings, runner: Runner, stub: Stub
) -> None:
    async with worker(replace(settings, allow_private_urls=False)):
        execution = await runner.run(http_fan(stub.url, 1))

    (failed,) = [node.error for node in execution.nodes if node.error]
    assert (failed["code"], stub.connections) == ("url_blocked", 0)
    assert "127.0.0.1" not in failed["message"]


async def test_a_url_that_came_in_is_as_little_trusted(
    settings: Settings, runner: Runner, stub: Stub
) -> None:
    graph = Graph("url").node("call", "httpRequest", url="{{ url }}", retry={"attempts": 3})
    graph.node("out", "responseOutput").wire("in.url > call.url")
    graph.wire("call.response-out > out.result-in")

    async with worker(replace(settings, allow_private_urls=False)):
        execution = await runner.run(graph, {"url": stub.url})

    (failed,) = [node.error for node in execution.nodes if node.error]
    assert (failed["code"], stub.connections) == ("url_blocked", 0)


async def test_an_http_node_follows_redirects(runner: Runner, walker: Walker, stub: Stub) -> None:
    stub.pages = {"/0?n=0": redirect(303, "/1")}

    execution = await runner.run(http_fan(stub.url + "/0", 1))

    assert (execution.status, stub.lines) == ("completed", ["GET /0?n=0", "GET /1"])
