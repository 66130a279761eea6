"""MCP Tool: a call of a tool of a server of the Model Context Protocol."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import Context, NodeType, Outputs, SecretName, WorkKind
from engine.nodes.support.http_auth import AUTH
from engine.nodes.support.server_settings import SERVER, read_server, server_secrets
from engine.nodes.support.settings import Faults, pattern
from engine.nodes.support.tool_arguments import ARGUMENTS, SCHEMA, ToolArguments, read_arguments
from engine.nodes.support.tool_servers import ToolServer
from engine.values.sockets import Socket, SocketType

RESULT_OUT, TEXT_OUT = "result-out", "text-out"
TOOL_FAILED = "tool_failed"
SHOWN_CHARACTERS = 2_048
"""Length of the tool's words in the error of the node."""
TOOL_WORDS = "must be the name of a tool of the server: 1 to 256 characters on one line"
TOOL = pattern(
    "tool",
    "Name of the tool.",
    r"[^\x00-\x1f\x7f]{1,256}",
    TOOL_WORDS,
    widget="tool",
    is_required=True,
    missing=TOOL_WORDS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class McpToolSettings:
    """The server, the tool, and its arguments."""

    server: ToolServer
    tool: str
    arguments: ToolArguments


class McpTool(NodeType):
    """Calls a tool and outputs its result."""

    type = "mcpTool"
    category = "Utilities"
    label = "MCP Tool"
    description = "Calls a tool of an MCP server and outputs its result."
    kind = WorkKind.IO
    is_dynamic = True
    members = (SERVER, AUTH, TOOL, ARGUMENTS, SCHEMA)
    url_member = SERVER.name

    def read(self, data: Mapping[str, Any], faults: Faults) -> McpToolSettings:
        return McpToolSettings(
            server=read_server(data, faults),
            tool=TOOL.read(data, faults) or "",
            arguments=read_arguments(data, faults),
        )

    def inputs(self, settings: McpToolSettings) -> Mapping[str, Socket]:
        return settings.arguments.sockets()

    def outputs(self, settings: McpToolSettings) -> Mapping[str, Socket]:
        return {RESULT_OUT: Socket(type=SocketType.ANY), TEXT_OUT: Socket(type=SocketType.TEXT)}

    def fixed_url(self, settings: McpToolSettings) -> str | None:
        return settings.server.url

    def secret_uses(self, data: Mapping[str, Any]) -> Iterable[SecretName]:
        return server_secrets(data)

    async def run(
        self, settings: McpToolSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        arguments = settings.arguments.fill(inputs)
        answer = await context.call_tool(settings.server, settings.tool, arguments)
        if answer.is_error:
            words = answer.text[:SHOWN_CHARACTERS] or "it says no more"
            raise NodeFailed(TOOL_FAILED, f"The tool '{settings.tool}' failed: {words}")
        return {RESULT_OUT: answer.value, TEXT_OUT: answer.text}
