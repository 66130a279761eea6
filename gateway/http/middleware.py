"""ASGI middleware that every request passes through, outermost first.

A middleware with nothing to do after the application returns the application's own awaitable:
thousands of requests may wait, and each would hold a frame for it.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.errors import BodyTooLarge, EngineError, InvalidBody
from engine.telemetry import log
from engine.telemetry.metrics import HTTP_FAULTS, HTTP_IN_FLIGHT, HTTP_REQUESTS, HTTP_SECONDS
from engine.telemetry.metrics.requests import known_method
from engine.telemetry.traces import context as traces
from engine.telemetry.traces.context import TraceContext
from gateway.admission.request_context import context_of
from gateway.http.errors import error_response, internal_error, new_request_id, plain_error
from gateway.http.response_headers import NO_SNIFFING

logger = logging.getLogger(__name__)

REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
SECRET = b"hr_"
"""Prefix of keys and tokens: a request id that contains it may be a secret and is not repeated."""
BODY_SECONDS = 30.0
COMPLETE = "complete_body"
"""Key in the scope of a request of which nothing is still to come."""


class RequestMetrics:
    """Counts answered requests by route, method and status, and how long they took."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._increments: dict[tuple[str, str, int], Callable[[], None]] = {}
        self._observers: dict[str, Callable[[float], None]] = {}
        self._in_flight = 0
        HTTP_IN_FLIGHT.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        self._in_flight += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._in_flight -= 1
            self._count(scope, context_of(scope).status, time.perf_counter() - began)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        method = known_method(scope["method"])
        key = (route, method, status)
        if key not in self._increments:
            self._increments[key] = HTTP_REQUESTS.labels(route, method, str(status)).inc
        if route not in self._observers:
            self._observers[route] = HTTP_SECONDS.labels(route).observe
        self._increments[key]()
        self._observers[route](seconds)


class RequestIds:
    """Middleware that gives each request an id and its place in a trace, if there is one.

    Both are the caller's own if they are well-formed. The id goes with the answer, as does every
    other header added to it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self.app(scope, receive, send)
        context = context_of(scope)
        given_id, context.caller = _read_headers(scope)
        request_id = given_id or new_request_id().encode()
        context.request_id = request_id.decode()
        log.bind(request_id=context.request_id)
        context.trace = traces.open_span(context.caller)
        if traces.CURRENT.get() is not context.trace:
            traces.CURRENT.set(context.trace)
        context.headers += (NO_SNIFFING, (b"x-request-id", request_id))

        def send_with_headers(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *context.headers]
                context.status = message["status"]
            return send(message)

        return self.app(scope, receive, send_with_headers)


def _read_headers(scope: Scope) -> tuple[bytes | None, TraceContext | None]:
    """Return the id and the span that the caller names, None for a wrong one."""
    ids: list[bytes] = []
    parents: list[bytes] = []
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            ids.append(value)
        elif name == b"traceparent":
            parents.append(value)
    request_id, caller = None, None
    if ids and REQUEST_ID.fullmatch(ids[0]) and SECRET not in ids[0]:
        request_id = ids[0]
    if len(parents) == 1:
        caller = traces.parse_traceparent(parents[0].decode("latin-1"))
    return request_id, caller


class Errors:
    """Middleware that turns exceptions into answers; unexpected ones are logged, never shown.

    `replace_error` may replace the error that is answered.
    """

    def __init__(
        self, app: ASGIApp, replace_error: Callable[[Scope, Exception], Exception]
    ) -> None:
        self.app = app
        self._replace_error = replace_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        except ClientDisconnect:
            return
        except Exception as error:
            if context_of(scope).status:
                raise
            answered = self._replace_error(scope, error)
            await _response_for(answered, scope)(scope, receive, send)


def _response_for(error: Exception, scope: Scope) -> Response:
    if isinstance(error, EngineError):
        return error_response(error)
    if isinstance(error, SlowBody):
        message = "The request's body took too long"
        return plain_error(408, message, "REQUEST_TIMEOUT", headers={"connection": "close"})
    HTTP_FAULTS.inc()
    logger.error("request failed", exc_info=error, extra={"path": scope["path"]})
    return internal_error()


class SlowBody(Exception):
    """The body did not arrive in time."""


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """Limits of a request body, in bytes and seconds."""

    max_bytes: int
    seconds: float
    framing_bytes: int = 0
    """Bytes of `max_bytes` that are framing; the limit told to callers leaves them out."""

    def refusal(self) -> BodyTooLarge:
        """Return the error for a body over the limit."""
        return BodyTooLarge(self.max_bytes - self.framing_bytes)


NO_OTHERS: Mapping[str, BodyLimit] = {}
NO_PATTERNS: Mapping[re.Pattern[str], BodyLimit] = {}


class BodyLimits:
    """Middleware that bounds a body in bytes and in time, and refuses encoded ones.

    `others` maps paths to limits of their own, and `patterns` maps patterns of paths.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        seconds: float = BODY_SECONDS,
        others: Mapping[str, BodyLimit] = NO_OTHERS,
        patterns: Mapping[re.Pattern[str], BodyLimit] = NO_PATTERNS,
    ) -> None:
        self.app = app
        self._limit = BodyLimit(max_bytes, seconds)
        self._others = others
        self._patterns = list(patterns.items())

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            limit = self._limit_of(scope["path"])
            if _must_bound(scope, limit):
                receive = _BoundedBody(receive, limit).receive
        return self.app(scope, receive, send)

    def _limit_of(self, path: str) -> BodyLimit:
        found = self._others.get(path)
        if found is not None:
            return found
        for pattern, limit in self._patterns:
            if pattern.fullmatch(path):
                return limit
        return self._limit


def _must_bound(scope: Scope, limit: BodyLimit) -> bool:
    """Return whether a body is still to be bounded as it is read; refuse one that is too long."""
    must_bound = False
    for name, value in scope["headers"]:
        if name == b"content-length":
            if int(value) > limit.max_bytes:
                raise limit.refusal()
            must_bound |= COMPLETE not in scope
        elif name == b"transfer-encoding":
            must_bound = True
        elif name == b"content-encoding" and value.lower() != b"identity":
            raise InvalidBody("An encoded request body is not taken; send it as it is")
    return must_bound


class _BoundedBody:
    """Body of one request while it arrives."""

    __slots__ = ("_deadline", "_is_complete", "_left", "_limit", "_receive")

    def __init__(self, receive: Receive, limit: BodyLimit) -> None:
        self._receive = receive
        self._limit = limit
        self._left = limit.max_bytes
        self._deadline = asyncio.get_running_loop().time() + limit.seconds
        self._is_complete = False

    async def receive(self) -> Message:
        """Return the next message. Raises BodyTooLarge or SlowBody."""
        if self._is_complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise SlowBody from None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise self._limit.refusal()
        self._is_complete = not message.get("more_body", False)
        return message
