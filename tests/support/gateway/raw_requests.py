"""Raw requests that no client library would send."""

import asyncio
import re
from contextlib import suppress
from urllib.parse import urlsplit

from tests.support.eventually import PATIENCE_SECONDS


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the server of this URL."""
    address = urlsplit(url)
    return await asyncio.open_connection(address.hostname, address.port)


async def exchange(url: str, data: bytes) -> bytes:
    """Send the bytes and read until the server closes. Raises TimeoutError when it does not."""
    reader, writer = await connect(url)
    try:
        writer.write(data)
        return await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    finally:
        await close(writer)


async def close(writer: asyncio.StreamWriter) -> None:
    """Close the connection."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def request(
    method: str, target: str, *headers: str, body: str = "", host: str = "Host: x"
) -> bytes:
    """Return the last request of its connection."""
    lines = [f"{method} {target} HTTP/1.1", host, "Connection: close", *headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", body]).encode("latin-1")


def statuses(received: bytes) -> list[int]:
    """Return the status of each answer."""
    return [int(match) for match in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def body_of(received: bytes) -> bytes:
    """Return the body of one answer."""
    return received.partition(b"\r\n\r\n")[2]


def headers_of(received: bytes) -> list[tuple[str, str]]:
    """Return the headers of one answer, names in lower case."""
    lines = received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(": ") for line in lines)
    return [(name.lower(), value) for name, _, value in pairs]
