"""List of the tools of a server, as a step of an agent and for editors."""

from collections.abc import Mapping
from typing import Any

from engine.nodes.agents.parts import TOOLS_OUT
from engine.nodes.agents.server_node import ServerNode
from engine.nodes.support.base import Context, Outputs
from engine.nodes.support.tool_servers import ToolServer
from engine.values.sockets import Socket, SocketType


class AgentTools(ServerNode):
    """Asks a server for its tools."""

    type = "agentTools"
    label = "Tools of a server"
    description = "Lists the tools of an MCP server."

    def inputs(self, settings: ToolServer) -> Mapping[str, Socket]:
        return {}

    def outputs(self, settings: ToolServer) -> Mapping[str, Socket]:
        return {TOOLS_OUT: Socket(type=SocketType.ANY)}

    async def run(
        self, settings: ToolServer, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        tools = await context.list_tools(settings)
        return {
            TOOLS_OUT: [
                {
                    "name": tool.name,
                    "title": tool.title,
                    "description": tool.description,
                    "inputSchema": tool.input_schema,
                }
                for tool in tools
            ]
        }
