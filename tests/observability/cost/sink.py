"""A receiver of traces that answers each request and reads none: it takes little of the machine.

`python -m tests.observability.cost.sink PORT` runs it.
"""

import asyncio
import sys
from typing import cast

import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"
LENGTH = b"content-length:"


class Sink(asyncio.Protocol):
    """One connection of an exporter."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._head = b""
        self._left = 0

    def data_received(self, data: bytes) -> None:
        while data:
            if not self._left:
                data = self._read_head(data)
            taken = min(self._left, len(data))
            data, self._left = data[taken:], self._left - taken
            if taken and not self._left:
                self._transport.write(ANSWER)

    def _read_head(self, data: bytes) -> bytes:
        """Read a head; return the bytes after it."""
        head, separator, rest = (self._head + data).partition(b"\r\n\r\n")
        self._head = b"" if separator else head
        if not separator:
            return b""
        lines = head.lower().split(b"\r\n")
        sizes = [int(line[len(LENGTH) :]) for line in lines if line.startswith(LENGTH)]
        self._left = sizes[0] if sizes else 0
        if not self._left:
            self._transport.write(ANSWER)
        return rest


async def serve(port: int) -> None:
    """Serve for ever."""
    await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
