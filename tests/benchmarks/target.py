"""The HTTP server that workloads call: `/now` answers at once, `/wait/MS` later, `/count` counts.

`python -m tests.benchmarks.target PORT` runs it.
"""

import asyncio
import sys
from typing import cast

import uvloop

BACKLOG = 8_192


class Target(asyncio.Protocol):
    """One connection; it only understands requests without a body."""

    answered = 0
    connections = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        Target.connections += 1
        self._transport = cast(asyncio.Transport, transport)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self._take(head.split(b" ", 2)[1].partition(b"?")[0].decode())

    def _take(self, path: str) -> None:
        if path == "/count":
            self._answer(f"{Target.answered} {Target.connections}")
        elif path.startswith("/wait/"):
            Target.answered += 1
            seconds = int(path.removeprefix("/wait/")) / 1000
            asyncio.get_running_loop().call_later(seconds, self._answer, "ok")
        else:
            Target.answered += 1
            self._answer("ok")

    def _answer(self, text: str) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n\r\n"
        self._transport.write(f"{head}{text}".encode())


async def serve(port: int) -> None:
    """Serve for ever."""
    loop = asyncio.get_running_loop()
    await loop.create_server(Target, "127.0.0.1", port, backlog=BACKLOG)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
