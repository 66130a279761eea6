"""Output of a child process, read from a pipe and passed on line by line."""

import asyncio
import contextlib
import os
from collections.abc import Callable

from deploy.stack.console import Console

Omit = Callable[[str], bool]
"""Returns whether a line is left out."""

MAX_LINE_BYTES = 8_192
LAST_LINES_SECONDS = 1.0


class Relay(asyncio.Protocol):
    """Passes the output of a part on to the console, line by line."""

    def __init__(self, name: str, console: Console, omit: Omit) -> None:
        self._name = name
        self._omit = omit
        self._console = console
        self._splitter = LineSplitter()
        self._ended = asyncio.Event()
        self._transport: asyncio.BaseTransport | None = None

    @classmethod
    async def open(cls, descriptor: int, name: str, console: Console, omit: Omit) -> "Relay":
        """Return a relay that reads the reading end of a pipe."""
        loop = asyncio.get_running_loop()
        pipe = os.fdopen(descriptor, "rb", buffering=0)
        transport, relay = await loop.connect_read_pipe(lambda: cls(name, console, omit), pipe)
        relay._transport = transport
        return relay

    def data_received(self, data: bytes) -> None:
        """Pass on the lines that are complete."""
        self._print(self._splitter.feed(data))

    def connection_lost(self, error: Exception | None) -> None:
        """Pass on the unfinished last line."""
        self._print(self._splitter.rest())
        self._ended.set()

    async def ended(self) -> None:
        """Wait for the last line, for a second at most."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), LAST_LINES_SECONDS)

    def close(self) -> None:
        """Stop reading."""
        if self._transport is not None:
            self._transport.close()

    def _print(self, lines: list[str]) -> None:
        for line in lines:
            if not self._omit(line):
                self._console.print(self._name, line)


class LineSplitter:
    """Splits a stream of chunks into lines; a line over the limit is cut."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        """Return the lines that are complete now."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        return [_text(line) for line in lines]

    def rest(self) -> list[str]:
        """Return the unfinished line at the end of the stream."""
        return [_text(self._rest)] if self._rest else []


def _text(line: bytes) -> str:
    return line[:MAX_LINE_BYTES].decode("utf-8", "replace").rstrip("\r")
