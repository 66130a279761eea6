"""The inner node that lists the tools of a server."""

from engine.graph.plan import compile_plan, examine_graph
from engine.nodes.agents.parts import TOOLS_OUT, one_node_graph
from engine.nodes.support.http_auth import HttpAuth
from engine.nodes.support.tool_servers import RemoteTool, ToolServer
from tests.support.nodes.node_context import FakeContext, run_node

URL = "https://tools.example/mcp"
AUTH = {"type": "bearer", "secret": "TOKEN"}


async def test_it_gives_the_tools_in_plain_values() -> None:
    tool = RemoteTool(name="echo", title="Echo", input_schema={"type": "object"})
    context = FakeContext(tools=[tool])

    outputs = await run_node("agentTools", {"server": URL, "auth": AUTH}, context=context)

    row = {"name": "echo", "title": "Echo", "description": "", "inputSchema": {"type": "object"}}
    assert outputs == {TOOLS_OUT: [row]}
    assert context.servers == [ToolServer(url=URL, auth=HttpAuth(type="bearer", secret="TOKEN"))]


def test_a_graph_of_ours_has_it_and_a_document_cannot() -> None:
    part = one_node_graph("agentTools", {"server": URL}, {}, TOOLS_OUT)

    saved = examine_graph(part.nodes, part.edges, allow_private=True, allow_reserved=False)

    assert [node.type.type for node in compile_plan(part.nodes, part.edges).nodes][-2:] == [
        "agentTools",
        "responseOutput",
    ]
    assert any("no node type 'agentTools'" in each.reason for each in saved.problems)
    assert all("agentTools," not in each.reason for each in saved.problems)
