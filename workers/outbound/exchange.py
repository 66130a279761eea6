"""One exchange of HTTP/1.1: a request goes out once, on a connection of the pool, then its answer.

aiohttp's connections and parser are used without its session, which takes longer for a short call
than the rest of the call does, and sends some calls twice.
"""

import asyncio
import contextlib
import re
from collections.abc import Sequence
from typing import cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage, StreamWriter
from aiohttp.streams import StreamReader
from msgspec import Struct
from yarl import URL

CONNECT_SECONDS = 10.0
PIECE_BYTES = 65_536
"""A larger body is written in pieces, so that others have their turn."""
USER_AGENT = "Headrace"
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods whose requests announce no length when they have no body."""
METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
MAX_ORIGINS = 1_000

Headers = Sequence[tuple[str, str]]


class Request(Struct, frozen=True):
    """A request as it goes out."""

    method: str
    url: URL
    head: bytes
    body: bytes | None


class Response:
    """Head of an answer, the reader of its body, and the connection that it comes on."""

    __slots__ = ("_connection", "_writing", "content", "headers", "method", "status")

    def __init__(
        self,
        method: str,
        message: RawResponseMessage,
        content: StreamReader,
        connection: Connection,
        writing: "asyncio.Task[None] | None",
    ) -> None:
        self.method = method
        """Method of the request."""
        self.status = message.code
        self.headers = message.headers
        self.content = content
        self._connection = connection
        self._writing = writing

    @property
    def content_length(self) -> int | None:
        """The announced size of the body."""
        length = self.headers.get("Content-Length")
        return None if length is None else int(length)

    def end(self) -> None:
        """Let others use the connection, or close it when a part of request or answer is left."""
        _end(self._connection, self._writing)


class Exchanges:
    """Sends requests on the connections of a connector."""

    def __init__(self, connector: aiohttp.BaseConnector) -> None:
        self._connector = connector
        self._loop = asyncio.get_running_loop()
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        self._origins: dict[tuple[str, str | None, int | None], aiohttp.ClientRequest] = {}

    async def close(self) -> None:
        """Close all connections."""
        await self._connector.close()

    async def send(self, request: Request) -> Response:
        """Send a request and return its answer, which the caller must end.

        Raises aiohttp.ClientError, HttpProcessingError or OSError.
        """
        connection = await self._connect(request.url)
        protocol, writing = cast(ResponseHandler, connection.protocol), None
        try:
            protocol.set_response_params(skip_payload=request.method == "HEAD")
            writing = self._write(protocol, request.head, request.body)
            message, content = await protocol.read()
            while 100 <= message.code <= 199 and message.code != 101:
                message, content = await protocol.read()
        except BaseException:
            protocol.force_close()
            _end(connection, writing)
            raise
        return Response(request.method, message, content, connection, writing)

    async def _connect(self, url: URL) -> Connection:
        try:
            return await self._connector.connect(self._origin(url), [], self._timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError from error

    def _origin(self, url: URL) -> aiohttp.ClientRequest:
        """Return the request by which the connector knows where to connect; it is never sent."""
        key = url.scheme, url.raw_host, url.port
        origin = self._origins.get(key)
        if origin is None:
            if len(self._origins) >= MAX_ORIGINS:
                self._origins.clear()
            origin = self._origins[key] = aiohttp.ClientRequest(
                "GET", url.origin(), loop=self._loop
            )
        return origin

    def _write(
        self, protocol: ResponseHandler, head: bytes, body: bytes | None
    ) -> "asyncio.Task[None] | None":
        """Write a request; a large body is written by the returned task."""
        transport = protocol.transport
        if transport is None or transport.is_closing():
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")
        if body is None or len(body) <= PIECE_BYTES:
            transport.write(head + body if body else head)
            return None
        return asyncio.create_task(self._write_pieces(protocol, head, body))

    async def _write_pieces(self, protocol: ResponseHandler, head: bytes, body: bytes) -> None:
        writer = StreamWriter(protocol, self._loop)
        # The answer, or the end of the connection, tells the rest.
        with contextlib.suppress(aiohttp.ClientError, OSError):
            await writer.write(head)
            for start in range(0, len(body), PIECE_BYTES):
                await writer.write(body[start : start + PIECE_BYTES])


def _end(connection: Connection, writing: "asyncio.Task[None] | None") -> None:
    if writing is not None and not writing.done():
        writing.cancel()
        connection.close()
    connection.release()  # which closes it too while more of an answer may come


def make_request(method: str, url: URL, headers: Headers, body: bytes | None) -> Request:
    """Return a request with the headers that every one has. Raises ValueError."""
    if not METHOD.fullmatch(method):
        raise ValueError("The method is not valid")
    given = {name.lower() for name, _ in headers}
    lines = [f"{method} {url.raw_path_qs} HTTP/1.1", f"Host: {url.host_port_subcomponent}"]
    lines.append("Accept-Encoding: identity")
    if "user-agent" not in given:
        lines.append(f"User-Agent: {USER_AGENT}")
    lines += [f"{name}: {value}" for name, value in headers]
    if "accept" not in given:
        lines.append("Accept: */*")
    if body is not None or method not in WITHOUT_BODY:
        lines.append(f"Content-Length: {len(body or b'')}")
    head = "\r\n".join(lines)
    if not head.count("\r") == head.count("\n") == len(lines) - 1:
        raise ValueError("A header has a line break")
    return Request(method, url, f"{head}\r\n\r\n".encode(), body)
