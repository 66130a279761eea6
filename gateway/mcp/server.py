"""The library's server: handlers of the protocol's methods, and its transport over HTTP."""

from importlib.metadata import version
from typing import Any

from mcp.server.caching import CacheHint
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.models import InitializationOptions
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from sse_starlette.sse import AppStatus

from engine.settings import Settings
from gateway.mcp.calls import call_tool
from gateway.mcp.failures import answer_failures
from gateway.mcp.subscriptions import listen
from gateway.mcp.tasks import add_tasks
from gateway.mcp.tools import list_tools

NAME = "headrace"
TITLE = "Headrace"
ABOUT = (
    "Each tool is an AI workflow of the account; a call runs it, and its cost is taken from the "
    "account's credits."
)


class NotifyingServer(Server[dict[str, object]]):
    """The library's server, whose sessions of older revisions are told of changes too."""

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        """As of the library, with the notifications of the list of tools."""
        options = notification_options or NotificationOptions(tools_changed=True)
        return super().create_initialization_options(options, experimental_capabilities, extensions)


def open_server(settings: Settings) -> StreamableHTTPSessionManager:
    """Return the server, to be run once."""
    server = NotifyingServer(
        NAME,
        version=version(NAME),
        title=TITLE,
        instructions=ABOUT,
        # Without this, the library lists all tools before each call.
        get_tool_input_schema=lambda name: None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_subscriptions_listen=listen,
        cache_hints={"tools/list": CacheHint(scope="private")},
    )
    add_tasks(server)
    # No span: they are made of the records of executions.
    server.middleware[:] = [answer_failures]
    # The library would watch for the signals of another server; streams end with their waits here.
    AppStatus.enable_automatic_graceful_drain = False
    return StreamableHTTPSessionManager(
        server, stateless=True, max_request_body_size=settings.max_body_bytes
    )
