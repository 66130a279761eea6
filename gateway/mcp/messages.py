"""A message of the protocol as the guard of `/mcp` sees it, before the library does."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.types import Scope

from engine.errors import RateLimitExceeded
from engine.store import Principal
from gateway.admission.credentials import header_value
from gateway.services import GatewayRequest

KEY = "mcp_exchange"
"""Key of the exchange in a request's scope."""
VERSION_HEADER = b"mcp-protocol-version"
SESSION_HEADER = b"mcp-session-id"
LEGACY_VERSIONS = frozenset({"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"})
"""Revisions that begin with `initialize`; a request without a version is of one of them."""
CALL = "tools/call"


@dataclass(frozen=True, slots=True, kw_only=True)
class McpExchange:
    """One POST to `/mcp`: its caller and its message."""

    request: GatewayRequest
    principal: Principal
    message: dict[str, Any]
    session: str = ""
    """Session of a legacy client; empty without one."""
    body_bytes: int = 0
    refusal: RateLimitExceeded | None = None
    """Refusal of a tool call by the rate limit, which its result tells."""

    @property
    def method(self) -> str:
        """Method of the message; empty for a message without one."""
        method = self.message.get("method")
        return method if isinstance(method, str) else ""

    @property
    def is_legacy(self) -> bool:
        """Whether the client speaks a revision with sessions."""
        return is_legacy(self.request.scope)


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
