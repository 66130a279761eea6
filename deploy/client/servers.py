"""Servers that answer requests of commands: one that is reached over HTTP.

The other one is the gateway's application in this process (`in_process.py`).
"""

import asyncio
import contextlib
import http.client
import socket
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.net.http_client import Unreachable, connect, exchange, read_json
from deploy.output.problems import ApiRefused

ANSWER_SECONDS = 30.0
UPLOAD_SECONDS = 300.0
"""Longest silence of a server while it receives or inspects a file."""
SILENCE_SECONDS = 45.0
"""Longest silence of a stream; gateways send a heartbeat three times as often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One request to the API."""

    method: str
    path: str
    """With its query."""
    headers: Mapping[str, str]
    body: bytes | Path | None = None
    """Bytes, or a file that is sent unchanged."""

    def sized_headers(self) -> dict[str, str]:
        """Return the headers with the length of the body, if there is one."""
        if self.body is None:
            return dict(self.headers)
        body = self.body
        size = len(body) if isinstance(body, bytes) else body.stat().st_size
        return {**self.headers, "content-length": str(size)}


class Server(Protocol):
    """Answers requests."""

    url: str

    async def answer(self, request: ApiRequest) -> tuple[int, bytes]:
        """Return the status and the body. Raises Unreachable."""
        ...

    def stream(self, request: ApiRequest) -> AsyncGenerator[bytes, None]:
        """Yield the pieces of a long-lasting answer. Raises ApiRefused or Unreachable."""
        ...


class HttpServer:
    """A server that is reached over HTTP, by threads."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def answer(self, request: ApiRequest) -> tuple[int, bytes]:
        """Send the request and read the whole answer."""
        return await asyncio.to_thread(self._exchange, request)

    async def stream(self, request: ApiRequest) -> AsyncGenerator[bytes, None]:
        """Send the request and yield the lines of the answer as they come."""
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        answer = _LongAnswer(self.url, request)

        def put(piece: bytes | Exception | None) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        def read() -> None:
            try:
                for line in answer.lines():
                    put(line)
                put(None)
            except (ApiRefused, Unreachable) as error:
                put(error)

        reading = loop.run_in_executor(None, read)
        try:
            while (piece := await pieces.get()) is not None:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            answer.hang_up()
            await reading

    def _exchange(self, request: ApiRequest) -> tuple[int, bytes]:
        url, headers = self.url + request.path, request.sized_headers()
        if not isinstance(request.body, Path):
            return exchange(request.method, url, request.body, headers, ANSWER_SECONDS)
        with request.body.open("rb") as file:
            return exchange(request.method, url, file, headers, UPLOAD_SECONDS)


class _LongAnswer:
    """One request, without a file, whose answer lasts."""

    def __init__(self, url: str, request: ApiRequest) -> None:
        self._url = url + request.path
        self._request = request
        self._body = request.body if isinstance(request.body, bytes) else None
        self._socket: socket.socket | None = None
        self._is_over = False

    def lines(self) -> Iterator[bytes]:
        """Yield lines; blocks while more may come. Raises ApiRefused or Unreachable."""
        connection, path = connect(self._url, SILENCE_SECONDS)
        try:
            connection.connect()
            self._socket = connection.sock
            if self._is_over:
                return
            connection.request(self._request.method, path, self._body, self._request.headers)
            response = connection.getresponse()
            if response.status >= 400:
                raise ApiRefused(response.status, read_json(response.read()))
            yield from response
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(f"The events have ended ({type(error).__name__}).") from error
        finally:
            connection.close()

    def hang_up(self) -> None:
        """End the answer for its reader, even before it has connected."""
        self._is_over = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                self._socket.shutdown(socket.SHUT_RDWR)
