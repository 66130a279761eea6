"""Cross-origin requests: listed origins may call the API with a key, never with a cookie."""

import re

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.settings import PREFIX, SettingError
from gateway.admission.credentials import header_values
from gateway.admission.own_origins import OwnOrigins
from gateway.http import response_headers

VARIABLE = PREFIX + "CORS_ORIGINS"
ORIGIN = re.compile(r"https?://[a-z0-9._-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")
ANY = "*"
PATHS = ("/api/", "/media/", "/openapi.json", "/mcp", "/oauth/", "/.well-known/oauth-")
"""Prefixes of the paths that programs call; pages are for browsers that are signed in here."""
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
REQUEST_HEADERS = ", ".join(
    (
        *("x-api-key", "content-type", "accept", "prefer", "idempotency-key", "last-event-id"),
        *("if-match", "if-none-match", "range", "x-request-id", "traceparent"),
        *("authorization", "mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name"),
    )
)
ANSWER_HEADERS = ", ".join(
    (
        *("x-request-id", "etag", "retry-after", "idempotent-replayed", "content-range"),
        *("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
        *("ratelimit", "ratelimit-policy", "mcp-session-id", "www-authenticate"),
    )
)
MAX_AGE_SECONDS = 600


def parse_origins(setting: str) -> frozenset[str]:
    """Return the origins that the setting lists. Raises SettingError."""
    origins = frozenset(text.strip().lower() for text in setting.split(",") if text.strip())
    for origin in origins:
        if origin != ANY and ORIGIN.fullmatch(origin) is None:
            raise SettingError(
                f"{VARIABLE}: {origin!r} is not an origin such as https://example.org"
            )
    return origins


class CrossOrigin:
    """Middleware that allows listed origins and removes the cookies of their requests."""

    def __init__(self, app: ASGIApp, origins: frozenset[str], own: OwnOrigins) -> None:
        self.app = app
        self._origins = origins
        self._own = own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PATHS):
            await self.app(scope, receive, send)
            return
        response_headers.add(scope, vary="Origin")
        if self._allow(scope):
            if _is_preflight(scope):
                await _preflight()(scope, receive, send)
                return
            response_headers.add(scope, access_control_expose_headers=ANSWER_HEADERS)
            scope["headers"] = [each for each in scope["headers"] if each[0] != b"cookie"]
        await self.app(scope, receive, send)

    def _allow(self, scope: Scope) -> bool:
        """Return whether the request is from a listed origin; note the header that allows it."""
        found = header_values(scope, b"origin")
        if len(found) != 1 or self._own.include(found[0], scope):
            return False
        allowed = ANY if ANY in self._origins else found[0]
        if allowed.lower() not in self._origins:
            return False
        response_headers.add(scope, access_control_allow_origin=allowed)
        return True


def _is_preflight(scope: Scope) -> bool:
    wanted = header_values(scope, b"access-control-request-method")
    return scope["method"] == "OPTIONS" and bool(wanted)


def _preflight() -> Response:
    return Response(
        status_code=204,
        headers={
            "access-control-allow-methods": METHODS,
            "access-control-allow-headers": REQUEST_HEADERS,
            "access-control-max-age": str(MAX_AGE_SECONDS),
        },
    )
