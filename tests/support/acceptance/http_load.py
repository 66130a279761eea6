"""Runs started over many connections, as fast as they are answered."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

BODY = b'{"inputs": {"who": "Ada"}}'

Note = Callable[[int, dict[str, str]], None]


async def ask_for_runs(
    url: str, key: str, turns: Iterator[int], connections: int, note: Note
) -> None:
    """Start a run for each turn; `note` gets each answer's status and headers."""
    parts = urlsplit(url)
    head = (
        f"POST {parts.path}?async=true HTTP/1.1\r\nhost: {parts.netloc}\r\nx-api-key: {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
    ).encode()

    async def ask() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for _ in turns:
            writer.write(head + BODY)
            status, headers = _parse(await reader.readuntil(b"\r\n\r\n"))
            await reader.readexactly(int(headers["content-length"]))
            note(status, headers)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(ask() for _ in range(connections)))


class Connection:
    """A kept connection whose requests may be held back at their last byte."""

    def __init__(self, url: str, key: str) -> None:
        self._where = urlsplit(url)
        self._key = key
        self._last = b""

    async def open(self) -> "Connection":
        """Connect."""
        where = self._where
        self._reader, self._writer = await asyncio.open_connection(where.hostname, where.port)
        return self

    @property
    def port(self) -> int:
        """Return the local port of the connection."""
        return int(self._writer.get_extra_info("sockname")[1])

    def hold(self, method: str, path: str, body: Any, **headers: str) -> None:
        """Send a request except its last byte."""
        data = json.dumps(body).encode()
        known = {"host": self._where.netloc, "x-api-key": self._key} | headers
        known |= {"content-type": "application/json", "content-length": str(len(data))}
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in known.items())
        self._writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data[:-1])
        self._last = data[-1:]

    def release(self) -> None:
        """Send the last byte."""
        self._writer.write(self._last)

    async def answer(self) -> tuple[int, Any]:
        """Return status and body."""
        status, headers = _parse(await self._reader.readuntil(b"\r\n\r\n"))
        return status, json.loads(await self._reader.readexactly(int(headers["content-length"])))

    async def call(self, method: str, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """Send a request; return its status and body."""
        self.hold(method, path, body, **headers)
        self.release()
        return await self.answer()

    async def reopen(self) -> None:
        """Connect again, after the other side has closed the connection."""
        self._writer.close()
        await self.open()

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()


def _parse(head: bytes) -> tuple[int, dict[str, str]]:
    first, *rest = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in rest if line)
    return int(first.split()[1]), {name.lower(): value for name, _, value in pairs}
