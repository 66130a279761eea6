"""The library's server: handlers of the protocol's methods, and its transport over HTTP."""

from importlib.metadata import version

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from engine.settings import Settings
from gateway.mcp.calls import call_tool
from gateway.mcp.tasks import add_tasks
from gateway.mcp.tools import list_tools

NAME = "headrace"
TITLE = "Headrace"
ABOUT = (
    "Each tool is an AI workflow of the account; a call runs it, and its cost is taken from the "
    "account's credits."
)


def open_server(settings: Settings) -> StreamableHTTPSessionManager:
    """Return the server, to be run once."""
    server: Server[dict[str, object]] = Server(
        NAME,
        version=version(NAME),
        title=TITLE,
        instructions=ABOUT,
        # Without this, the library lists all tools before each call.
        get_tool_input_schema=lambda name: None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    add_tasks(server)
    return StreamableHTTPSessionManager(
        server, stateless=True, max_request_body_size=settings.max_body_bytes
    )
