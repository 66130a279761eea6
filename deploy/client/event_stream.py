"""Events of an execution over HTTP, read by a thread."""

import asyncio
import http.client
import json
import socket
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.http_client import Unreachable, connect, read_json
from deploy.problems import ApiRefused
from engine.net.server_sent_events import ServerSentEventParser

SILENCE_SECONDS = 45.0
"""Longest silence; gateways send a heartbeat three times as often."""
MAX_EVENT_BYTES = 268_435_456
"""The gateway belongs to the caller; the limit only bounds an endless event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """One event, in the names of the API."""

    id: str
    name: str
    data: dict[str, Any]


async def read_events(
    url: str, key: str, after: str = "", body: Mapping[str, Any] | None = None
) -> AsyncGenerator[StreamEvent, None]:
    """Yield the events after one of them until the stream ends; a body begins a new execution.

    Raises ApiRefused or Unreachable.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Queue[StreamEvent | Exception | None] = asyncio.Queue()
    stream = _Stream(url, key, after, body)

    def put(item: StreamEvent | Exception | None) -> None:
        loop.call_soon_threadsafe(found.put_nowait, item)

    def read() -> None:
        try:
            for stream_event in stream.events():
                put(stream_event)
            put(None)
        except (ApiRefused, Unreachable) as error:
            put(error)

    reading = loop.run_in_executor(None, read)
    try:
        while (item := await found.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        stream.hang_up()
        await reading


class _Stream:
    """One request with a long-lasting answer."""

    def __init__(self, url: str, key: str, after: str, body: Mapping[str, Any] | None) -> None:
        self._url = url
        self._body = None if body is None else json.dumps(body).encode()
        self._headers = {"x-api-key": key, "accept": "text/event-stream"}
        if after:
            self._headers["last-event-id"] = after
        if body is not None:
            self._headers["content-type"] = "application/json"
        self._socket: socket.socket | None = None
        self._is_over = False

    def events(self) -> Iterator[StreamEvent]:
        """Yield events; blocks while more may come. Raises ApiRefused or Unreachable."""
        connection, path = connect(self._url, SILENCE_SECONDS)
        try:
            connection.connect()
            self._socket = connection.sock
            if self._is_over:
                return
            method = "GET" if self._body is None else "POST"
            connection.request(method, path, self._body, self._headers)
            response = connection.getresponse()
            if response.status >= 400:
                raise ApiRefused(response.status, read_json(response.read()))
            yield from _parse(response)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(f"The events have ended ({type(error).__name__}).") from error
        finally:
            connection.close()

    def hang_up(self) -> None:
        """End the stream for its reader, even before it has connected."""
        self._is_over = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it has ended by itself


def _parse(lines: http.client.HTTPResponse) -> Iterator[StreamEvent]:
    """Yield parsed events. Raises ValueError for an event that is not from the API."""
    events = ServerSentEventParser(MAX_EVENT_BYTES)
    for line in lines:
        for event in events.feed(line):
            yield StreamEvent(id=event.id, name=event.type, data=json.loads(event.data))
