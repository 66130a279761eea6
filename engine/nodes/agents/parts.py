"""Parts of an agent: small fixed graphs, which children of the agent run.

Each is a Request Input, one node and a Response Output. A part is found by the path of the agent
and the name of the part, like the body of a For Each.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from engine.nodes.agents.rounds_node import PartGraph

SYSTEM, MESSAGES, TOOLS, SCHEMA = "system", "messages", "tools", "schema"
"""Fields of the part `turn`, all JSON: the sockets of `agentTurn` are `<field>-in`.

`messages` and `tools` are lists of the plain forms of `ChatMessage` and `ToolSpec`.
"""
TURN_OUT = "turn-out"
"""Output of `agentTurn`: the plain form of a `ChatTurn`. With a schema, the node checks the text of
a turn without calls by it."""
TOOL, ARGUMENTS = "tool", "arguments"
"""Fields of the part `call`: the sockets of `agentToolCall` are `<field>-in`."""
STEP = "step"
"""Id of the node of a part between its input and its output."""
SHOWN = "shown"
"""Field of the part `approval` besides these: the arguments as text, as far as it can be shown."""
ANSWER_OUT = "answer-out"
"""Output of `agentToolCall`: the plain form of a `ToolAnswer`, `{text, value, isError}`."""
TOOLS_OUT = "tools-out"
"""Output of `agentTools`: a list of `{name, title, description, inputSchema}`."""


class PartKind(StrEnum):
    """Kind of a part; the name of a part of a server is `<kind>:<position in tools>`."""

    TURN = "turn"
    """One model call, by a node `agentTurn`: its settings are those of the agent's model."""
    TOOLS = "tools"
    """List of the tools of a server, by a node `agentTools`: settings `server`, `auth`."""
    CALL = "call"
    """Call of a tool of a server, by a node `agentToolCall`: settings `server`, `auth`."""
    APPROVAL = "approval"
    """Question before a tool call, by a node `approval`."""


def part_name(kind: PartKind, server: int | None = None) -> str:
    """Return the name of a part; `server` is the position of the server in the list `tools`."""
    return kind.value if server is None else f"{kind}:{server}"


def one_node_graph(
    node_type: str, data: Mapping[str, Any], sockets: Mapping[str, str], output: str
) -> PartGraph:
    """Return a part; `sockets` are those of its node by the names of the fields."""
    form = [{"name": name, "label": name, "type": "json"} for name in sockets]
    nodes: list[dict[str, Any]] = [
        {"id": "input", "type": "requestInput", "data": {"fields": form}},
        {"id": STEP, "type": node_type, "data": dict(data)},
        {"id": "output", "type": "responseOutput", "data": {}},
    ]
    edges = [_edge(name, "input", name, STEP, socket) for name, socket in sockets.items()]
    return PartGraph(nodes, [*edges, _edge("result", STEP, output, "output", "result-in")])


def inlets(*fields: str) -> dict[str, str]:
    """Return the sockets of fields that an inner node has as `<field>-in`."""
    return {name: f"{name}-in" for name in fields}


def _edge(name: str, source: str, output: str, target: str, socket: str) -> dict[str, Any]:
    return {
        "id": name,
        "source": source,
        "sourceHandle": output,
        "target": target,
        "targetHandle": socket,
    }
