"""Callers that send heavy bodies repeatedly, as a process of their own.

Arguments: method, URL, key, kind of body, connections. They go on until SIGTERM, and then print the
count of each status.
"""

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

MB = 1_000_000
MAX_VALUES = 99_000


def run_with(value: Any) -> bytes:
    """Return a call of a workflow with one JSON field."""
    return json.dumps({"inputs": {"value": value}}, separators=(",", ":")).encode()


BODIES: dict[str, Callable[[], bytes]] = {
    "too many values": lambda: run_with([0] * (MB // 2)),
    "most values": lambda: run_with([1] * MAX_VALUES),
    "most values, 1 MB": lambda: run_with([12345678] * MAX_VALUES),
    "most members": lambda: run_with({f"n{n:05}": n for n in range(MAX_VALUES)}),
    "most objects": lambda: run_with([{"a": 1}] * (MAX_VALUES // 2)),
    "one text": lambda: run_with("x" * (MB - 100)),
    "escaped text": lambda: b'{"inputs":{"value":"' + b"\\u0041" * (MB // 6 - 10) + b'"}}',
    "deep": lambda: b'{"inputs":{"value":' + b"[" * (MB // 2) + b"]" * (MB // 2 - 30) + b"}}",
    "broken at its end": lambda: run_with([1] * MAX_VALUES)[:-1],
}


async def send(method: str, url: str, key: str, body: bytes, connections: int) -> Counter[int]:
    """Send the body over each connection until the process is stopped."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    parts = urlsplit(url)
    head = (
        f"{method} {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\nx-api-key: {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode()
    found: Counter[int] = Counter()

    async def go_on() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while not ended.is_set():
            writer.write(head + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = answer.partition("content-length: ")[2].partition("\r\n")[0]
            await reader.readexactly(int(length))
            found[int(answer.split()[1])] += 1
        writer.close()

    await asyncio.gather(*(go_on() for _ in range(connections)))
    return found


if __name__ == "__main__":
    method, url, key, kind, connections = sys.argv[1:]
    statuses = asyncio.run(send(method, url, key, BODIES[kind](), int(connections)))
    print(json.dumps(statuses))
