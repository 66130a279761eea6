"""Texts of models and calls are as untrusted as callers' inputs, at every place."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

from engine.settings import Settings
from tests.engine.values.test_templates import PAYLOADS
from tests.support.factories import Graph, Runner
from tests.support.http.raw_server import Stub, answer, serving
from tests.support.workers.untrusted_outputs import URLS, failure, modelled, run_all
from workers.main import worker
from workers.walk.walker import Walker

pytestmark = pytest.mark.A70a


@pytest.fixture
async def strict_walker(settings: Settings) -> AsyncIterator[Walker]:
    """A worker that calls no private address."""
    async with worker(replace(settings, allow_private_urls=False)) as walker:
        yield walker


def said_then(url: str, **data: Any) -> Graph:
    """Return a graph: a model that repeats its input, and a call that uses it."""
    graph = modelled()
    graph.node("call", "httpRequest", url=url, **data).wire("model.text-out > call.v")
    return graph.node("out", "responseOutput").wire("call.response-out > out.result-in")


async def test_no_spelling_of_a_url_gets_through_whole(
    runner: Runner, strict_walker: Walker
) -> None:
    async with serving(Stub(), "0.0.0.0") as everywhere:
        ended = await run_all(runner, said_then("{{ v }}"), URLS)

    assert [failure(each) for each in ended] == [("call", "url_blocked")] * len(URLS)
    assert everywhere.connections == 0


HOSTS = ("127.0.0.1", "2130706433", "0x7f.1", "[::1]", "localhost", "a@127.0.0.1", "①②⑦.⓪.⓪.①")


async def test_no_host_gets_through_in_its_place(runner: Runner, strict_walker: Walker) -> None:
    hosts = [*HOSTS, "a.example\\@127.0.0.1", "127.0.0.1#.a.example", "a\r\nb", "169.254.169.254"]

    ended = await run_all(runner, said_then("http://{{ v }}/x"), hosts)

    assert [failure(each) for each in ended] == [("call", "url_blocked")] * len(hosts)


async def test_a_path_and_a_query_escape_values(runner: Runner, walker: Walker, stub: Stub) -> None:
    graph = said_then(stub.url + "/p/{{ v }}/end?q={{ v }}&r=1")
    said = [
        "a/../../b",
        "..%2f",
        "?x=1#y",
        "a&r=2",
        "a b\r\nHost: c",
        "\x00",
        "é",
        "//evil.example",
    ]

    ended = await run_all(runner, graph, said)
    climbing = await run_all(runner, graph, [".", ".."])

    assert {each.status for each in ended} == {"completed"}
    assert len(stub.requests) == len(said)
    for line in stub.lines:
        assert line.isascii() and line.isprintable()
        path, _, query = line.removeprefix("GET ").partition("?")
        (name, value), rest = parse_qsl(query, strict_parsing=True)
        assert (name, rest) == ("q", ("r", "1"))
        assert [unquote(part) for part in path.split("/")] == ["", "p", value, "end"]
        said.remove(value)
    assert {failure(each)[0] for each in climbing} == {"call"}


async def test_a_header_cannot_be_split(runner: Runner, walker: Walker, stub: Stub) -> None:
    graph = said_then(stub.url, headers={"X-Said": "it said {{ v }}"})
    said = ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b", "a\x7f", "a\x1b[2J", "x" * 9_000]

    ended = await run_all(runner, graph, said)

    assert [failure(each) for each in ended] == [("call", "template_error")] * len(said)
    assert stub.requests == []


async def test_a_template_in_a_text_is_text(runner: Runner, walker: Walker) -> None:
    graph = modelled().node("text", "textBox", text="<{{ b }}>").wire("model.text-out > text.b")
    graph.node("out", "responseOutput").wire("text.text-out > out.result-in")
    said = ["\n".join(PAYLOADS), "{{ b }}", "{{ said }}", "{{ b }}" * 1_000]

    ended = await run_all(runner, graph, said)

    assert [each.result for each in ended] == [{"text": f"<{text}>"} for text in said]


ANSWERS = (
    {"__class__": "a", "__proto__": "b", "constructor": "c", "v": "{{ v }}"},
    "no object",
    [{"v": 1}],
    10**15,
)
MEMBERS = ("__class__", "__proto__", "constructor", "v", "__init__", "format")


async def test_only_members_of_the_data_are_read_of_an_answer(
    runner: Runner, walker: Walker, stub: Stub
) -> None:
    for given, member in product(ANSWERS, MEMBERS):
        body = json.dumps(given).encode()
        lines = "Content-Type: application/json", f"Content-Length: {len(body)}"
        stub.reply = answer(*lines, body=body)
        graph = Graph().node("model", "httpRequest", url=stub.url)
        graph.node("text", "textBox", text=f"{{{{ r.{member} }}}}")
        graph.node("out", "responseOutput").wire("model.response-out > text.r")

        execution = await runner.run(graph.wire("text.text-out > out.result-in"))

        if isinstance(given, dict) and member in given:
            assert execution.result == {"text": given[member]}
        else:
            assert failure(execution) == ("text", "template_error"), (given, member)
