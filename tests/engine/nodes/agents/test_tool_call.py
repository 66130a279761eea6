"""The inner node that calls a tool of a server."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.graph.plan import compile_plan
from engine.nodes.agents.parts import ANSWER_OUT, ARGUMENTS, TOOL, inlets, one_node_graph
from engine.nodes.support.tool_servers import ToolAnswer, ToolServer
from tests.support.nodes.node_context import FakeContext, run_node

URL = "https://tools.example/mcp"


async def run(arguments: Any, context: FakeContext, **data: Any) -> Any:
    inputs = {"tool-in": "echo", "arguments-in": arguments}
    outputs = await run_node("agentToolCall", {"server": URL, **data}, inputs, context=context)
    return outputs[ANSWER_OUT]


async def test_it_calls_the_tool_and_gives_the_answer_in_plain_values() -> None:
    context = FakeContext(tool_answer=ToolAnswer(text="no", value=None, is_error=True))

    answer = await run({"text": "a"}, context)

    assert answer == {"text": "no", "value": None, "isError": True}
    assert context.tool_calls == [("echo", {"text": "a"})]
    assert context.servers == [ToolServer(url=URL, timeout_seconds=300)]


async def test_its_time_limit_is_that_of_its_settings() -> None:
    context = FakeContext()

    await run({}, context, timeoutSeconds=7)

    assert context.servers[0].timeout_seconds == 7


@pytest.mark.parametrize("arguments", [None, "text", [1]])
async def test_arguments_that_are_no_object_fail_it(arguments: Any) -> None:
    context = FakeContext()

    with pytest.raises(NodeFailed) as failed:
        await run(arguments, context)

    assert failed.value.code == "invalid_value"
    assert context.tool_calls == []


def test_its_sockets_are_those_of_the_part() -> None:
    sockets = inlets(TOOL, ARGUMENTS)
    part = one_node_graph("agentToolCall", {"server": URL}, sockets, ANSWER_OUT)

    plan = compile_plan(part.nodes, part.edges)

    assert [node.id for node in plan.nodes] == ["input", "step", "output"]
