"""Transport of the library's client that sends by the client of all outbound calls.

So addresses, budgets, bounds, depth and deadlines hold for calls of tools too. A failure is noted,
and the library gets an answer, or an end of a body, that it can handle: it knows no other errors.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2
from msgspec import structs

from engine.access.opened_secrets import OpenedSecrets
from engine.nodes.support.base import HttpAnswer, HttpCall, HttpFetch
from workers.mcp.messages import MessageFilter
from workers.outbound.bodies import LARGE_BODY

Reserve = Callable[[int], Awaitable[None]]

MADE_BY_EGRESS = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"}
)
"""Headers of the library's requests that the client of outbound calls makes itself."""
LEFT_OUT = frozenset({"content-encoding", "content-length", "set-cookie", "transfer-encoding"})
"""Headers of answers that no longer hold once the body is read, and cookies: none are kept."""
LAST_EVENT_ID = "last-event-id"
MAX_REFUSAL_BYTES = 65_536
"""Length of the body of a failed answer that is read."""
GRACE_SECONDS = 1.0
"""The caller's deadline comes before that of the call, so that its words tell the whole time."""
GOODBYE_SECONDS = 2.0
"""Longest time for the end of a session, whose tool has answered."""
END_SECONDS = 0.05
"""Time for a server to end a stream after its answer, so that the connection can be used again."""
PIECES_AHEAD = 2
JSON, EVENTS = "application/json", "text/event-stream"
NO_STREAM, FAILED = 405, 502


class EgressTransport(httpx2.AsyncBaseTransport):
    """Sends requests like `call`, with methods, URLs, headers and bodies of their own."""

    def __init__(self, fetch: HttpFetch, call: HttpCall) -> None:
        self._fetch = fetch
        self._call = call
        self.seconds = call.timeout_seconds
        """Time for all requests together."""
        self.deadline = asyncio.get_running_loop().time() + call.timeout_seconds
        """Time on the event loop's clock."""
        self._tasks: set[asyncio.Task[None]] = set()
        self.messages = MessageFilter()
        self.failure: Exception | None = None
        """First failure of a call; no further call is made after it."""
        self.answer: HttpAnswer | None = None
        """Head of the last answer; the body too where its status is one of a failure."""

    @property
    def secrets(self) -> OpenedSecrets:
        """Secrets that the calls carry."""
        return self._call.secrets

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, but none that opens a stream of news: nobody here reads them."""
        if request.method == "GET" and LAST_EVENT_ID not in request.headers:
            return httpx2.Response(NO_STREAM)
        if self.failure is not None:
            return httpx2.Response(FAILED)
        exchange = _Exchange(self.messages, self._call.reserve)
        call = self._prepare(request, await request.aread(), exchange)
        task = asyncio.create_task(self._send(call, exchange))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            answer = await exchange.head
        except BaseException:
            task.cancel()
            raise
        if answer is None:
            return httpx2.Response(FAILED)
        self.answer = answer
        headers = [pair for pair in answer.headers.items() if pair[0] not in LEFT_OUT]
        stream = _Body(exchange, task)
        return httpx2.Response(answer.status, headers=headers, stream=stream)

    async def aclose(self) -> None:
        """End all exchanges."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _prepare(self, request: httpx2.Request, body: bytes, exchange: "_Exchange") -> HttpCall:
        seconds = max(self.deadline - asyncio.get_running_loop().time(), 0) + GRACE_SECONDS
        if request.method == "DELETE":
            seconds = min(seconds, GOODBYE_SECONDS)
        given = self._call.headers
        left_out = MADE_BY_EGRESS.union(name.lower() for name, _ in given)
        own = (pair for pair in request.headers.items() if pair[0] not in left_out)
        return structs.replace(
            self._call,
            method=request.method,
            url=str(request.url),
            headers=(*own, *given),
            body=body or None,
            timeout_seconds=seconds,
            consume=exchange.consume,
        )

    async def _send(self, call: HttpCall, exchange: "_Exchange") -> None:
        try:
            await self._fetch(call)
        except Exception as error:
            if call.method != "DELETE":  # whose failure changes nothing
                self.failure = self.failure or error
            exchange.has_failed = True
        await exchange.end()


class _Exchange:
    """One request: the head of its answer, and the body as it comes."""

    def __init__(self, messages: MessageFilter, reserve: Reserve | None) -> None:
        self._messages = messages
        self._reserve = reserve
        self._unreserved = 0
        self.head: asyncio.Future[HttpAnswer | None] = asyncio.get_running_loop().create_future()
        """None: there was no answer."""
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES_AHEAD)
        """Of the body; None is its end."""
        self.has_failed = False
        self.is_left = False
        """Nobody reads any further pieces."""

    async def consume(self, answer: HttpAnswer, pieces: AsyncIterator[bytes]) -> None:
        """Hand the answer over; that of a failure with the beginning of its body."""
        if answer.status >= 400:
            body = await _read_beginning(pieces)
            self._settle(structs.replace(answer, body=body))
            await self.pieces.put(self._messages.frame(body) or body)
            return
        self._settle(answer)
        kind = answer.headers.get("content-type", "").lower()
        if kind.startswith(EVENTS):
            async for event in self._messages.frames(self._counted(pieces)):
                if not self.is_left:
                    await self.pieces.put(event)
        elif kind.startswith(JSON):
            body = b"".join([piece async for piece in self._counted(pieces)])
            await self.pieces.put(self._messages.frame(body) or b"")

    async def _counted(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Reserve memory for a large body, as the client of outbound calls does for others."""
        async for piece in pieces:
            self._unreserved += len(piece)
            if self._reserve is not None and self._unreserved >= LARGE_BODY:
                await self._reserve(self._unreserved)
                self._unreserved = 0
            yield piece

    async def end(self) -> None:
        """Mark the end of the body."""
        self._settle(None)
        if not self.is_left:
            await self.pieces.put(None)

    def _settle(self, answer: HttpAnswer | None) -> None:
        if not self.head.done():
            self.head.set_result(answer)


class _Body(httpx2.AsyncByteStream):
    """Body of an answer for the library."""

    def __init__(self, exchange: _Exchange, task: asyncio.Task[None]) -> None:
        self._exchange = exchange
        self._task = task

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces. Raises StreamError, which the library handles."""
        while (piece := await self._exchange.pieces.get()) is not None:
            yield piece
        if self._exchange.has_failed:
            raise httpx2.StreamError("The body did not come to its end")

    async def aclose(self) -> None:
        """Leave the rest of the body."""
        exchange = self._exchange
        exchange.is_left = True
        while not exchange.pieces.empty():
            exchange.pieces.get_nowait()
        try:
            await asyncio.wait({self._task}, timeout=END_SECONDS)
        finally:
            self._task.cancel()


async def _read_beginning(pieces: AsyncIterator[bytes]) -> bytes:
    body = b""
    async for piece in pieces:
        body += piece
        if len(body) >= MAX_REFUSAL_BYTES:
            break
    return body[:MAX_REFUSAL_BYTES]
