"""MCP Tool: sockets by the tool's schema, arguments, and the answer."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.graph.plan import examine_graph
from engine.nodes import node_type
from engine.nodes.support.base import SecretName, WorkKind
from engine.nodes.support.http_auth import HttpAuth
from engine.nodes.support.tool_servers import ToolAnswer, ToolServer
from engine.values.sockets import Socket, SocketType
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

URL = "https://tools.example/mcp"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
DATA: dict[str, Any] = {"server": URL, "tool": "forecast", "schema": SCHEMA}
SAMPLES = {
    "mcpTool": NodeSample(
        WorkKind.IO, "Utilities", {"server": URL, "tool": "echo", "arguments": {"text": "{{ a }}"}}
    )
}


async def call(data: dict[str, Any], inputs: dict[str, Any] | None = None) -> Any:
    context = FakeContext()
    await run_node("mcpTool", data, inputs, context=context)
    ((tool, arguments),) = context.tool_calls
    assert tool == data["tool"]
    return arguments


def inputs_of(data: dict[str, Any]) -> dict[str, Socket]:
    kind = node_type("mcpTool")
    assert kind is not None
    return dict(kind.inputs(kind.parse(data)))


def test_each_property_of_the_schema_is_a_socket() -> None:
    assert inputs_of(DATA) == {
        "city": Socket(type=SocketType.ANY, required=True),
        "days": Socket(type=SocketType.ANY),
    }


def test_a_typed_argument_need_not_be_wired_and_its_placeholders_must() -> None:
    sockets = inputs_of({**DATA, "arguments": {"city": "{{ place }} in {{ country }}"}})

    assert {name: each.required for name, each in sockets.items()} == {
        "city": False,
        "days": False,
        "place": True,
        "country": True,
    }


def test_without_a_schema_there_are_placeholders_alone() -> None:
    sockets = inputs_of({"server": URL, "tool": "t", "arguments": {"a": ["{{ x }}", {"b": 1}]}})

    assert list(sockets) == ["x"]


async def test_wired_values_take_the_place_of_typed_ones() -> None:
    typed = {**DATA, "arguments": {"city": "Rome", "days": 3}}

    assert await call(typed) == {"city": "Rome", "days": 3}
    assert await call(typed, {"city": "Oslo"}) == {"city": "Oslo", "days": 3}
    assert await call(DATA, {"city": "Oslo", "days": None}) == {"city": "Oslo"}


async def test_one_placeholder_alone_gives_its_value_and_others_a_text() -> None:
    data = {"server": URL, "tool": "t"}
    arguments = {"whole": "{{ a }}", "part": "{{ a.k }}!", "deep": [{"x": "{{ a.k }}"}, None]}

    got = await call({**data, "arguments": arguments}, {"a": {"k": 1}})

    assert got == {"whole": {"k": 1}, "part": "1!", "deep": [{"x": 1}, None]}


async def test_the_answer_is_value_and_text() -> None:
    auth = {"type": "bearer", "secret": "TOKEN"}
    context = FakeContext(tool_answer=ToolAnswer(text="20 degrees", value={"degrees": 20}))

    outputs = await run_node("mcpTool", {**DATA, "auth": auth}, {"city": "a"}, context=context)

    assert outputs == {"result-out": {"degrees": 20}, "text-out": "20 degrees"}
    assert context.servers == [ToolServer(url=URL, auth=HttpAuth(type="bearer", secret="TOKEN"))]


async def test_a_tool_that_fails_fails_the_node_with_its_words() -> None:
    context = FakeContext(tool_answer=ToolAnswer(text="No such city", is_error=True))

    with pytest.raises(NodeFailed) as failed:
        await run_node("mcpTool", DATA, {"city": "a"}, context=context)

    assert (failed.value.code, failed.value.retryable) == ("tool_failed", False)
    assert failed.value.message == "The tool 'forecast' failed: No such city"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"server": "tools.example"}, "server"),
        ({"server": "{{ url }}"}, "server"),
        ({"tool": ""}, "tool"),
        ({"tool": "a\nb"}, "tool"),
        ({"arguments": ["a"]}, "arguments"),
        ({"arguments": {"a": "{{"}}, "arguments.a"),
        ({"arguments": {"a": ["{{ secret.TOKEN }}"]}}, "arguments.a[0]"),
        ({"schema": "text"}, "schema"),
        ({"schema": {"x": "y" * 65_536}}, "schema"),
        ({"auth": {"type": "other", "secret": "TOKEN"}}, "auth.type"),
    ],
)
def test_wrong_settings_are_problems(change: dict[str, Any], field: str) -> None:
    node = {"id": "tool", "type": "mcpTool", "data": {**DATA, **change}}

    problems = examine_graph([node], [], allow_reserved=False).problems

    assert field in [each.field for each in problems]


def test_a_private_address_is_a_problem_of_the_server() -> None:
    node = {"id": "tool", "type": "mcpTool", "data": {**DATA, "server": "http://10.0.0.1/mcp"}}

    problems = examine_graph([node], [], allow_private=False).problems

    assert [(each.field, each.reason[:8]) for each in problems if each.field == "server"] == [
        ("server", "server: ")
    ]


def test_its_secret_is_found_with_its_host() -> None:
    kind = node_type("mcpTool")
    assert kind is not None

    uses = kind.secret_uses({**DATA, "auth": {"type": "bearer", "secret": "TOKEN"}})

    assert list(uses) == [SecretName("auth.secret", "TOKEN", "tools.example")]
