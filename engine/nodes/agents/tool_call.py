"""Call of a tool of a server, as a step of an agent."""

from collections.abc import Mapping
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.nodes.agents.parts import ANSWER_OUT, ARGUMENTS, TOOL
from engine.nodes.agents.server_node import ServerNode
from engine.nodes.support.base import Context, Outputs
from engine.nodes.support.tool_servers import ToolServer
from engine.values.plain import kind_of
from engine.values.sockets import Socket, SocketType

TIMEOUT_SECONDS = 300.0
"""Time limit of a call: a tool may be a workflow elsewhere, and an agent has a limit of its own."""
TOOL_IN, ARGUMENTS_IN = f"{TOOL}-in", f"{ARGUMENTS}-in"


class AgentToolCall(ServerNode):
    """Calls a tool with the arguments of a model; its failure is an answer for the model."""

    type = "agentToolCall"
    label = "Tool call"
    description = "Calls a tool of an MCP server with the arguments of a model."
    timeout_seconds = TIMEOUT_SECONDS

    def inputs(self, settings: ToolServer) -> Mapping[str, Socket]:
        return dict.fromkeys((TOOL_IN, ARGUMENTS_IN), Socket(type=SocketType.ANY, required=True))

    def outputs(self, settings: ToolServer) -> Mapping[str, Socket]:
        return {ANSWER_OUT: Socket(type=SocketType.ANY)}

    async def run(
        self, settings: ToolServer, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        tool, arguments = inputs[TOOL_IN], inputs[ARGUMENTS_IN]
        if not isinstance(tool, str) or not isinstance(arguments, dict):
            found = f"{kind_of(tool)} and {kind_of(arguments)}"
            message = f"A call takes the name of a tool and an object of arguments, not {found}"
            raise NodeFailed("invalid_value", message)
        answer = await context.call_tool(settings, tool, arguments)
        plain = {"text": answer.text, "value": answer.value, "isError": answer.is_error}
        return {ANSWER_OUT: plain}
