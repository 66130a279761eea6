"""Log of requests: one line for each answered request, without values of queries and bodies."""

import re
import time
from collections.abc import Mapping, Sequence

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.telemetry.lines import LineWriter
from engine.telemetry.log import format_now
from engine.telemetry.metrics.requests import known_method
from gateway.admission.peers import Peers
from gateway.admission.request_context import RequestContext, context_of

LOGGER = "headrace.requests"
MOST_PATH = 256
MOST_AGENT = 128
"""Characters; the rest is left out."""
MOST_NAMES = 10
QUERY_NAME = re.compile(r"[A-Za-z][\w.-]{0,31}", re.ASCII)
OTHER_NAME = "…"
"""Name of a query that may be a value."""


class RequestLine(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Line about one request; members without a value are left out."""

    at: str
    level: str
    logger: str
    event: str
    method: str
    route: str = ""
    """Pattern of the path; absent where there is nothing."""
    path: str
    query: Sequence[str] = ()
    """Names of the parameters."""
    status: int
    """0: the client left before it was answered."""
    duration_ms: float
    bytes: int
    """Size of the answer's body."""
    account_id: str = ""
    key_id: str = ""
    request_id: str = ""
    execution_id: str = ""
    trace_id: str = ""
    address: str = ""
    """Address of the client; the network for IPv6."""
    user_agent: str = ""


class AccessLog:
    """Middleware that writes the line of each request when its answer has been sent."""

    def __init__(self, app: ASGIApp, writer: LineWriter, peers: Peers) -> None:
        self.app = app
        self._writer = writer
        self._peers = peers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, size = time.perf_counter(), 0

        async def send_counted(message: Message) -> None:
            nonlocal size
            size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, send_counted)
        finally:
            self._write(scope, size, time.perf_counter() - began)

    def _write(self, scope: Scope, size: int, seconds: float) -> None:
        context = context_of(scope)
        line = make_line(scope, context, self._peers.address(scope), size, seconds)
        self._writer.write(line.account_id, line)


def make_line(
    scope: Scope, context: RequestContext, address: str, size: int, seconds: float
) -> RequestLine:
    """Return the line about a request, whose answer had this size in bytes."""
    principal = context.principal
    return RequestLine(
        at=format_now(),
        level="warning" if context.status >= 500 else "info",
        logger=LOGGER,
        event="request",
        method=known_method(scope["method"]),
        route=getattr(scope.get("route"), "path", ""),
        path=scope["path"][:MOST_PATH],
        query=_query_names(scope["query_string"]),
        status=context.status,
        duration_ms=round(seconds * 1_000, 3),
        bytes=size,
        account_id="" if principal is None else principal.account.id,
        key_id="" if principal is None else principal.key_id,
        request_id=context.request_id,
        execution_id=context.execution_id or _named_execution(scope),
        trace_id="" if context.trace is None else context.trace.trace_id,
        address=address,
        user_agent=_user_agent(scope),
    )


def _query_names(query: bytes) -> Sequence[str]:
    """Return the names in a query; one that may be a value is not shown."""
    if not query:
        return ()
    names = [each.partition("=")[0] for each in query.decode("latin-1").split("&", MOST_NAMES)]
    return [
        name if QUERY_NAME.fullmatch(name) else OTHER_NAME for name in names[:MOST_NAMES] if name
    ]


def _named_execution(scope: Scope) -> str:
    """Return the execution in the path of a request; empty: there is none."""
    parameters: Mapping[str, str] = scope.get("path_params") or {}
    return parameters.get("execution_id", "")[:MOST_AGENT]


def _user_agent(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"user-agent":
            agent: str = value[:MOST_AGENT].decode("latin-1")
            return agent
    return ""
