"""A message of the protocol as the guard of `/mcp` sees it, before the library does."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.types import Scope

from engine.errors import RateLimitExceeded
from engine.store import Principal
from engine.store.accounts.tool_calls import ToolCallName
from gateway.admission.credentials import header_value
from gateway.http.responses import encode_json
from gateway.services import GatewayRequest

KEY = "mcp_exchange"
"""Key of the exchange in a request's scope."""
RUN = "workflow:run"
"""Capability by which a workflow is a tool of a key."""
VERSION_HEADER = b"mcp-protocol-version"
SESSION_HEADER = b"mcp-session-id"
LEGACY_VERSIONS = frozenset({"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"})
"""Revisions that begin with `initialize`; a request without a version is of one of them."""
CALL = "tools/call"
INITIALIZE = "initialize"
CANCELLED = "notifications/cancelled"
LISTEN = "subscriptions/listen"


@dataclass(frozen=True, slots=True, kw_only=True)
class McpExchange:
    """One POST to `/mcp`: its caller and its message."""

    request: GatewayRequest
    principal: Principal
    message: dict[str, Any]
    session: str = ""
    """Session of a client of a revision with sessions; empty without one."""
    body_bytes: int = 0
    refusal: RateLimitExceeded | None = None
    """Refusal of a tool call by the rate limit, which its result tells."""

    @property
    def method(self) -> str:
        """Method of the message; empty for a message without one."""
        method = self.message.get("method")
        return method if isinstance(method, str) else ""

    @property
    def call_name(self) -> ToolCallName | None:
        """Name by which a notification may cancel the call; None: none can."""
        return self.name_call(self.message.get("id"))

    def name_call(self, request_id: object) -> ToolCallName | None:
        """Return the name of a request of the session; None outside of a session."""
        if not self.session or not isinstance(request_id, str | int):
            return None
        return ToolCallName(
            account_id=self.principal.account.id,
            key_id=self.principal.key_id,
            session=self.session,
            request_id=encode_json(request_id).decode(),
        )

    @property
    def is_legacy(self) -> bool:
        """Whether the client speaks a revision with sessions."""
        return is_legacy(self.request.scope)


def is_message(message: dict[str, Any]) -> bool:
    """Return whether an object is a request, a notification or a response.

    The library's own refusal would repeat values of the body.
    """
    request_id = message.get("id", 0)
    is_named = isinstance(request_id, str) or type(request_id) is int
    if message.get("jsonrpc") != "2.0" or not is_named:
        return False
    if "method" not in message:
        return "id" in message and isinstance(message.get("result", message.get("error")), dict)
    has_params = isinstance(message.get("params", {}), dict)
    return isinstance(message["method"], str) and has_params


def is_legacy(scope: Scope) -> bool:
    """Return whether a request is of a revision with sessions."""
    version = header_value(scope, VERSION_HEADER)
    return version is None or version in LEGACY_VERSIONS


def exchange_of(request: Request | None) -> McpExchange:
    """Return the exchange that the guard has noted for a request of the library."""
    if request is None:
        raise ValueError("a message came without a request")
    exchange: McpExchange = request.scope[KEY]
    return exchange
