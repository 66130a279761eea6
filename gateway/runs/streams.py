"""Event streams: an execution watched over HTTP until it ends.

A stream may end before the execution: when the process stops, when its time is up, or when its
key or session ends. The reader resumes after its last event, at any gateway.
"""

import asyncio
import re
from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from engine.errors import EngineError, ExecutionNotFound, InvalidQuery, Unavailable
from engine.executions.events import BEFORE_ALL, EventId, parse_event_id
from engine.store import CompletionWaiter
from engine.store.executions.events import NOTHING_MORE, EventPage, events_topic
from gateway.auth.principal import authenticate
from gateway.http.responses import in_pieces
from gateway.openapi import parameters
from gateway.runs.event_feed import HEARTBEAT, RETRY, EventFeed, frame
from gateway.runs.types import EVENT_STREAM
from gateway.services import GatewayRequest

HEARTBEAT_SECONDS = 15.0
AUTHORIZED_SECONDS = 1.0
"""Interval at which the key or session of a stream is checked again."""
LAST_EVENT_ID, _ = parameters.LAST_EVENT_ID
NEVER = re.compile(r"q=0(\.0{0,3})?")
"""The weight of a media type that must not be sent (RFC 9110, 12.4.2)."""
HEADERS = {"x-accel-buffering": "no"}


def wants_stream(request: GatewayRequest) -> bool:
    """Return whether the caller accepts events rather than the one answer."""
    for each in request.headers.get("accept", "").lower().split(","):
        media_type, *parameters = (part.replace(" ", "") for part in each.split(";"))
        if media_type.strip() == EVENT_STREAM:
            return not any(NEVER.fullmatch(parameter) for parameter in parameters)
    return False


def read_last_event_id(request: GatewayRequest) -> EventId:
    """Return the last event that the caller has seen. Raises InvalidQuery."""
    text = request.headers.get(LAST_EVENT_ID, "")
    try:
        return parse_event_id(text) if text else BEFORE_ALL
    except ValueError:
        message = f"'{LAST_EVENT_ID}' must be the id of an event that a stream gave"
        raise InvalidQuery(LAST_EVENT_ID, message) from None


class ExecutionStream:
    """Stream of one execution to one caller; its end does not end the execution."""

    def __init__(
        self,
        request: GatewayRequest,
        account_id: str,
        execution_id: str,
        *,
        after: EventId,
        seconds: float,
    ) -> None:
        self._request = request
        self._services = request.state["services"]
        reserve = self._services.result_memory.for_answer(request.scope)
        self._feed = EventFeed(self._services.store, account_id, execution_id, after, reserve)
        self._topic = events_topic(execution_id)
        self._opening = RETRY
        self._is_over = False
        now = asyncio.get_running_loop().time()
        self._until = now + seconds
        self._authorized_until = now + AUTHORIZED_SECONDS

    async def read(self) -> EventPage:
        """Return the next events. Raises ExecutionNotFound or Unavailable."""
        return await self._feed.read(self._services.notifier.channel)

    def respond(self, page: EventPage | None = None) -> Response:
        """Return the stream as an answer; `page` is a page read already."""
        if page is not None and page.is_all and not self._feed.has_new_events(page):
            return Response(status_code=204, headers=HEADERS)  # browsers then stop reconnecting
        if self._request.method == "HEAD":
            return Response(headers=HEADERS, media_type=EVENT_STREAM)
        return StreamingResponse(self._body(page), headers=HEADERS, media_type=EVENT_STREAM)

    async def _body(self, page: EventPage | None) -> AsyncIterator[bytes]:
        yield HEARTBEAT
        with self._services.notifier.expecting(self._topic) as completion:
            completion.wake()  # the execution may have changed since this page was read
            page = page or await self._next(completion)
            while True:
                if page is None:
                    yield HEARTBEAT
                else:
                    async for piece in self._pieces(page):
                        yield piece
                if self._is_over:
                    return
                page = await self._next(completion)

    async def _next(self, completion: CompletionWaiter) -> EventPage | None:
        """Return new events; None when none came for a while, or the stream is to end."""
        left = self._until - asyncio.get_running_loop().time()
        self._is_over = left <= 0
        return await completion.wait(self._check, min(left, HEARTBEAT_SECONDS))

    async def _check(self) -> EventPage | None:
        self._is_over = self._services.stopping.is_set()
        if not await self._is_authorized():
            self._is_over = True
            return NOTHING_MORE
        try:
            page = await self.read()
        except ExecutionNotFound:
            return NOTHING_MORE
        except Unavailable:  # the accepted execution goes on meanwhile
            return NOTHING_MORE if self._is_over else None
        return page if page.entries or page.is_all or self._is_over else None

    async def _is_authorized(self) -> bool:
        """Return whether the key or session is still valid; checked once a second."""
        now = asyncio.get_running_loop().time()
        if now < self._authorized_until:
            return True
        store, public_url = self._services.store, self._services.settings.public_url
        try:
            await authenticate(self._request.scope, store, public_url)
        except Unavailable:
            return True
        except EngineError:
            return False
        self._authorized_until = now + AUTHORIZED_SECONDS
        return True

    async def _pieces(self, page: EventPage) -> AsyncIterator[bytes]:
        try:
            async for event_id, name, data in self._feed.translate(page):
                framed = self._opening + frame(event_id, name, data)
                self._opening = b""
                self._services.result_memory.settle(self._request.scope, len(framed))
                for piece in in_pieces(framed):
                    yield piece
        except (Unavailable, ExecutionNotFound):
            self._is_over = True  # the reader resumes later for the rest
        self._is_over = self._is_over or page.is_all
