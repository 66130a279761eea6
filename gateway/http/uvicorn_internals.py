"""The parts of uvicorn that the gateway relies on although its documentation does not promise them.

`tests/gateway/http/test_uvicorn_internals.py` fails when a release of uvicorn changes one of them.
"""

import asyncio
import fcntl
import termios

from uvicorn._types import ASGIVersions
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from engine.process.light_event import LightEvent

__all__ = (
    "ASGI",
    "Config",
    "FlowControl",
    "RequestResponseCycle",
    "ServerState",
    "SlottedProtocol",
)

ASGI: ASGIVersions = {"version": "3.0", "spec_version": "2.3"}
PROTOCOL_ATTRIBUTES = (
    *("access_log", "access_logger", "app", "app_state", "asgi_version", "client", "config"),
    *("connections", "cycle", "expect_100_continue", "flow", "headers", "limit_concurrency"),
    *("logger", "loop", "parser", "pipeline", "root_path", "scheme", "scope", "server"),
    *("server_state", "tasks", "timeout_keep_alive", "timeout_keep_alive_task", "transport"),
    *("url", "ws_protocol_class"),
)
"""All attributes of uvicorn's protocol."""


class SlottedProtocol(HttpToolsProtocol):
    """uvicorn's protocol in less memory: a dictionary of so many attributes takes two kilobytes."""

    __slots__ = PROTOCOL_ATTRIBUTES

    def stop_keep_alive_timer(self) -> None:
        """Do not close the connection for want of another request."""
        self._unset_keepalive_if_required()

    def lighten_cycle(self, transport: asyncio.Transport) -> None:
        """Let the request that has begun write to `transport`, with a light event."""
        self.cycle.transport = transport
        self.cycle.message_event = LightEvent()  # type: ignore[assignment]

    def has_unread_bytes(self) -> bool:
        """Return whether the peer has sent bytes that were not read yet."""
        descriptor = self.transport.get_extra_info("socket").fileno()
        if descriptor < 0:
            return False
        size = fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4))
        return any(size)

    def abort_cycle(self) -> None:
        """Tell the application that the peer of its request is gone."""
        self.cycle.disconnected = True
        self.cycle.message_event.set()
