"""Server-sent events: a feed sent to a reader until it ends.

A stream may end before its feed: when the process stops, when its time is up, or when its key or
session ends. The reader resumes after its last event, at any gateway.
"""

import asyncio
import contextlib
import math
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, Protocol, TypeVar

from starlette.responses import Response, StreamingResponse

from engine.errors import EngineError, ExecutionNotFound, InvalidQuery, Unavailable
from engine.store import CompletionWaiter, Principal
from gateway.admission.credentials import header_value
from gateway.admission.open_streams import OpenStream
from gateway.auth.principal import authenticate
from gateway.http.responses import encode_json, in_pieces
from gateway.services import GatewayRequest

EVENT_STREAM = "text/event-stream"
HEARTBEAT = b":\n\n"
HEARTBEAT_SECONDS = 15.0
RETRY_MS = 1_000
"""Delay after which browsers reconnect to a stream that ended early."""
RETRY = f"retry: {RETRY_MS}\n".encode()
"""Sent before the first event: some readers take a block of its own for an event."""
LAST_EVENT_ID = "Last-Event-ID"
ANY_TYPE = "*/*"
NEVER = re.compile(r"q=0(\.0{0,3})?")
"""The weight of a media type that must not be sent (RFC 9110, 12.4.2)."""
HEADERS = {"x-accel-buffering": "no"}
T = TypeVar("T")


def wants_stream(request: GatewayRequest) -> bool:
    """Return whether the caller accepts events rather than the one answer."""
    accepted = header_value(request.scope, b"accept")
    if accepted is None or accepted == ANY_TYPE:
        return False
    for each in accepted.lower().split(","):
        media_type, *parameters = (part.replace(" ", "") for part in each.split(";"))
        if media_type.strip() == EVENT_STREAM:
            return not any(NEVER.fullmatch(parameter) for parameter in parameters)
    return False


def read_last_event_id(request: GatewayRequest, parse: Callable[[str], T], none: T) -> T:
    """Return the id of the last event that the caller has seen, or `none` for no header.

    Raises InvalidQuery where `parse` raises ValueError.
    """
    text = request.headers.get(LAST_EVENT_ID, "")
    try:
        return parse(text) if text else none
    except ValueError:
        message = f"'{LAST_EVENT_ID}' must be the id of an event that a stream gave"
        raise InvalidQuery(LAST_EVENT_ID, message) from None


def frame(event_id: object, name: str, data: Any) -> bytes:
    """Frame one event; its JSON has no line breaks."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (
        str(event_id).encode(),
        name.encode(),
        encode_json(data),
    )


def _left_of(principal: Principal) -> float:
    """Return the seconds until the key expires."""
    if principal.key is None or principal.key.expires_at is None:
        return math.inf
    return principal.key.expires_at / 1_000 - time.time()


class Page(Protocol):
    """Part of a feed's events."""

    @property
    def entries(self) -> Sequence[Any]:
        """Events, in order."""
        ...

    @property
    def is_all(self) -> bool:
        """Whether no events follow."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether more events may be there already, of which no signal tells."""
        ...


P = TypeVar("P", bound=Page)


class Feed(Protocol[P]):
    """Events after the one that the reader has seen last."""

    @property
    def heartbeat(self) -> bytes:
        """Block without an event, which may carry the position of the feed."""
        ...

    @property
    def check_seconds(self) -> float:
        """Interval at which the feed is read without a signal."""
        ...

    @property
    def nothing_more(self) -> P:
        """Page without events, after which none follow."""
        ...

    def following(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """Let the feed wake the stream while the context lasts."""
        ...

    async def read(self, channel: str) -> P:
        """Return the next events, and notify the channel of further ones if the feed can.

        Raises ExecutionNotFound or Unavailable.
        """
        ...

    def has_new_events(self, page: P) -> bool:
        """Return whether the page has events that the reader has not seen."""
        ...

    def translate(self, page: P) -> AsyncIterator[tuple[object, str, Any]]:
        """Yield id, name and data of its events. Raises ExecutionNotFound or Unavailable."""
        ...


class EventStream(Generic[P]):
    """Stream of a feed to one caller.

    It ends with its key or session: at the expiry of the key, and by a signal when one was changed.
    """

    def __init__(
        self,
        request: GatewayRequest,
        principal: Principal,
        feed: Feed[P],
        *,
        topic: str,
        seconds: float,
    ) -> None:
        self._request = request
        self._services = request.services
        self._account_id = principal.account.id
        self._feed = feed
        self._topic = topic
        self._opening = RETRY
        self._is_over = False
        self._signals: OpenStream | None = None
        left = min(seconds, _left_of(principal))
        self._until = asyncio.get_running_loop().time() + left

    async def read(self) -> P:
        """Return the next events. Raises ExecutionNotFound or Unavailable."""
        return await self._feed.read(self._services.notifier.channel)

    def respond(self, page: P | None = None) -> Response:
        """Return the stream as an answer; `page` is a page read already."""
        if page is not None and page.is_all and not self._feed.has_new_events(page):
            return Response(status_code=204, headers=HEADERS)  # browsers then stop reconnecting
        if self._request.method == "HEAD":
            return Response(headers=HEADERS, media_type=EVENT_STREAM)
        return StreamingResponse(self._body(page), headers=HEADERS, media_type=EVENT_STREAM)

    async def _body(self, page: P | None) -> AsyncIterator[bytes]:
        # The position of a feed is after the page that it has read, which may not arrive.
        yield HEARTBEAT if page is not None and page.entries else self._feed.heartbeat
        async with contextlib.aclosing(self.follow(page)) as pages:
            async for each in pages:
                if each is None:
                    yield self._feed.heartbeat
                    continue
                async for piece in self._pieces(each):
                    yield piece

    async def follow(self, page: P | None = None) -> AsyncGenerator[P | None, None]:
        """Yield new events, and None after each silence, until the stream is to end.

        `page` is a page read already.
        """
        streams = self._services.open_streams
        with (
            self._services.notifier.expecting(self._topic) as completion,
            streams.signalling(self._account_id, completion) as self._signals,
            self._feed.following(completion.wake),
        ):
            completion.wake()  # there may be events since this page was read
            page = page or await self._next(completion)
            while True:
                yield page
                if page is not None:
                    self._is_over = self._is_over or page.is_all
                    if page.is_full:
                        completion.wake()
                if self._is_over:
                    return
                page = await self._next(completion)

    async def _next(self, completion: CompletionWaiter) -> P | None:
        """Return new events; None when none came for a while, or the stream is to end."""
        left = self._until - asyncio.get_running_loop().time()
        self._is_over = left <= 0
        seconds = min(left, HEARTBEAT_SECONDS)
        return await completion.wait(self._check, seconds, self._feed.check_seconds)

    async def _check(self) -> P | None:
        self._is_over = self._services.stopping.is_set()
        if not await self._is_authorized():
            self._is_over = True
            return self._feed.nothing_more
        try:
            page = await self.read()
        except ExecutionNotFound:
            return self._feed.nothing_more
        except Unavailable:  # the accepted execution goes on meanwhile
            return self._feed.nothing_more if self._is_over else None
        return page if page.entries or page.is_all or self._is_over else None

    async def _is_authorized(self) -> bool:
        """Return whether the key or session is still valid; checked after a signal."""
        signals = self._signals
        if signals is None or not signals.must_authenticate:
            return True
        signals.must_authenticate = False
        store, own = self._services.store, self._services.own_origins
        try:
            await authenticate(self._request.scope, store, own)
        except Unavailable:
            signals.must_authenticate = True
        except EngineError:
            return False
        return True

    async def _pieces(self, page: P) -> AsyncIterator[bytes]:
        try:
            async for event_id, name, data in self._feed.translate(page):
                framed = self._opening + frame(event_id, name, data)
                self._opening = b""
                self._services.result_memory.settle(self._request.context, len(framed))
                for piece in in_pieces(framed):
                    yield piece
        except (Unavailable, ExecutionNotFound):
            self._is_over = True  # the reader resumes later for the rest
