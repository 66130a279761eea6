"""One exchange of HTTP/1.1: a request goes out once, on a pooled connection, then its answer."""

import re
from collections.abc import Sequence

from msgspec import Struct
from yarl import URL

from workers.outbound.answer_parser import RawResponseMessage, StreamReader
from workers.outbound.connecting import Origin
from workers.outbound.connection import OutboundConnection
from workers.outbound.pool import ConnectionPool, PoolKey

USER_AGENT = "Headrace"
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods whose requests announce no length when they have no body."""
METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONNECTION = "connection"

Headers = Sequence[tuple[str, str]]


class Request(Struct, frozen=True):
    """A request as it goes out."""

    method: str
    url: URL
    head: bytes
    body: bytes | None
    closes: bool = False
    """The request asks for the end of the connection."""


class Response:
    """Head of an answer, the reader of its body, and the connection that it comes on."""

    __slots__ = ("_connection", "_key", "_pool", "_request", "content", "headers", "status")

    def __init__(
        self,
        request: Request,
        message: RawResponseMessage,
        content: StreamReader,
        connection: OutboundConnection,
        pool: ConnectionPool,
        key: PoolKey,
    ) -> None:
        self.status = message.code
        self.headers = message.headers
        self.content = content
        self._request = request
        self._connection = connection
        self._pool = pool
        self._key = key

    @property
    def method(self) -> str:
        """Method of the request."""
        return self._request.method

    @property
    def content_length(self) -> int | None:
        """The announced size of the body."""
        length = self.headers.get("Content-Length")
        return None if length is None else int(length)

    def end(self) -> None:
        """Let the account use the connection again, or close it when a part is left on it."""
        self._pool.release(self._connection, self._key, is_done=not self._request.closes)


async def send(pool: ConnectionPool, request: Request, account_id: str) -> Response:
    """Send a request of an account and return its answer, which the caller must end.

    Raises OSError; NotSent when the call may be sent again on another connection.
    """
    url = request.url
    key = PoolKey(account_id, Origin(url.scheme, url.raw_host or "", url.port or 0))
    connection = await pool.acquire(key)
    try:
        head = connection.begin(request.head, request.body, is_head_call=request.method == "HEAD")
        message, content = await head
    except BaseException:
        pool.release(connection, key, is_done=False)
        raise
    return Response(request, message, content, connection, pool, key)


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
    closes = CONNECTION in given
    return Request(method, url, f"{head}\r\n\r\n".encode(), body, closes)
