"""Runs asked for over many connections at once, as fast as they are answered."""

import asyncio
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

BODY = b'{"inputs": {"who": "Ada"}}'

Note = Callable[[int, dict[str, str]], None]


async def ask_for_runs(
    url: str, key: str, turns: Iterator[int], connections: int, note: Note
) -> None:
    """Ask once for each turn; `note` gets each answer's status and headers."""
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


def _parse(head: bytes) -> tuple[int, dict[str, str]]:
    first, *rest = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in rest if line)
    return int(first.split()[1]), {name.lower(): value for name, _, value in pairs}
