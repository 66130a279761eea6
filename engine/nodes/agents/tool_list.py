"""List of the tools of a server, as a step of an agent and for editors."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.nodes.agents.parts import TOOLS_OUT
from engine.nodes.support.base import Context, NodeType, Outputs, SecretName, WorkKind
from engine.nodes.support.http_auth import AUTH
from engine.nodes.support.server_settings import SERVER, read_server, server_secrets
from engine.nodes.support.settings import Faults
from engine.nodes.support.tool_servers import ToolServer
from engine.values.sockets import Socket, SocketType


class AgentTools(NodeType):
    """Asks a server for its tools."""

    type = "agentTools"
    category = "LLMs"
    label = "Tools of a server"
    description = "Lists the tools of an MCP server."
    kind = WorkKind.IO
    is_inner = True
    members = (SERVER, AUTH)
    url_member = SERVER.name

    def read(self, data: Mapping[str, Any], faults: Faults) -> ToolServer:
        return read_server(data, faults)

    def inputs(self, settings: ToolServer) -> Mapping[str, Socket]:
        return {}

    def outputs(self, settings: ToolServer) -> Mapping[str, Socket]:
        return {TOOLS_OUT: Socket(type=SocketType.ANY)}

    def fixed_url(self, settings: ToolServer) -> str | None:
        return settings.url

    def secret_uses(self, data: Mapping[str, Any]) -> Iterable[SecretName]:
        return server_secrets(data)

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
