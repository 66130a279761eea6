"""Spans of requests: the first ones of traces, and those below the spans of callers."""

import time

from starlette.types import ASGIApp, Receive, Scope, Send

from engine.telemetry.traces.context import NO_SPAN, TraceContext
from engine.telemetry.traces.span import Span, SpanKind, make_span
from engine.telemetry.traces.tracing import Tracing
from gateway.admission.request_context import RequestContext, context_of

UNTRACED = frozenset({"/healthz", "/readyz", "/metrics", "/metrics/process"})
"""Routes that supervisors and scrapers ask every few seconds."""
SERVER_ERROR = 500


class RequestSpans:
    """Middleware that sends a span for each request of a sampled trace, and each that has failed.

    Only applications of processes that trace have it. Paths may have tokens, and queries values, so
    a span names the route alone.
    """

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self.app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began_at, is_failed = time.time_ns(), True
        try:
            await self.app(scope, receive, send)
            is_failed = False
        finally:
            self._note(scope, began_at, is_failed=is_failed)

    def _note(self, scope: Scope, began_at: int, *, is_failed: bool) -> None:
        context = context_of(scope)
        trace = context.trace
        if trace is None:
            return
        is_failed = is_failed or context.status >= SERVER_ERROR
        if (trace.is_sampled or is_failed) and _route_of(scope) not in UNTRACED:
            span = _make_span(scope, context, trace, began_at, is_failed=is_failed)
            self._tracing.add(context.account_id, (span,))


def _make_span(
    scope: Scope, context: RequestContext, trace: TraceContext, began_at: int, *, is_failed: bool
) -> Span:
    caller, method, route = context.caller, scope["method"], _route_of(scope)
    return make_span(
        *(trace, NO_SPAN if caller is None else caller.span_id, f"{method} {route}".strip()),
        began_at=began_at,
        kind=SpanKind.SERVER,
        attributes={
            "http.request.method": method,
            "http.route": route or None,
            "http.response.status_code": context.status or None,
            "url.scheme": scope.get("scheme"),
            "headrace.request.id": context.request_id,
            "headrace.account.id": context.account_id or None,
        },
        error_type=str(context.status or "disconnected") if is_failed else "",
    )


def _route_of(scope: Scope) -> str:
    path: str = getattr(scope.get("route"), "path", "")
    return path
