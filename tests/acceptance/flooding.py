"""A flood of runs over HTTP, from a process of its own: URL, key, count, connections."""

import asyncio
import sys
from urllib.parse import urlsplit

BODY = b'{"inputs": {"who": "flood"}}'


async def flood(url: str, key: str, count: int, connections: int) -> None:
    """Ask for that many runs as fast as they are accepted, without waiting for their end."""
    parts = urlsplit(url)
    head = (
        f"POST {parts.path}?async=true HTTP/1.1\r\nhost: {parts.netloc}\r\nx-api-key: {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
    )
    left = iter(range(count))

    async def post() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for _ in left:
            writer.write(head.encode() + BODY)
            status = await reader.readline()
            assert b" 202 " in status, status
            answer = await reader.readuntil(b"\r\n\r\n")
            length = answer.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
            await reader.readexactly(int(length))
        writer.close()

    await asyncio.gather(*(post() for _ in range(connections)))


if __name__ == "__main__":
    asyncio.run(flood(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
