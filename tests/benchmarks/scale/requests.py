"""Count of the commands that clients send, by MONITOR: those within scripts are left out."""

import asyncio
import contextlib
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import redis

from tests.benchmarks.scale.fleet import Fleet

LINE = re.compile(rb'\S+ \[\d+ (\S+)\] "([^"]*)"')
WITHIN_SCRIPT = b"lua"
END = secrets.token_hex(16)
"""Text by which the reader knows the end."""
READ_BYTES = 1_048_576


@dataclass(slots=True)
class Count:
    """Commands that clients sent in a span."""

    by_command: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def requests(self, idle_rate: float = 0.0) -> float:
        """Return the number of all of them, without those that idle parts send in a second."""
        return self.by_command.total() - idle_rate * self.seconds


@contextlib.asynccontextmanager
async def counting(fleet: Fleet) -> AsyncIterator[Count]:
    """Count the commands of clients while the context lasts.

    The server works more meanwhile: nothing else is measured in that span.
    """
    count = Count()
    with redis.Redis(port=fleet.redis_port) as client:
        connection = client.connection_pool.get_connection()
        connection.send_command("MONITOR")
        connection.read_response()
        thread = threading.Thread(target=_read, args=(connection, count))
        thread.start()
        began = time.monotonic()
        try:
            yield count
        finally:
            count.seconds = time.monotonic() - began
            fleet.client.echo(END)
            thread.join()
            connection.disconnect()


def _read(connection: "redis.Connection", count: Count) -> None:
    while True:
        line = connection.read_response()
        line = line if isinstance(line, bytes) else line.encode()
        if END.encode() in line:
            return
        if (match := LINE.match(line)) and match[1] != WITHIN_SCRIPT:
            count.by_command[match[2].decode().upper()] += 1


async def measure_idle_requests(fleet: Fleet, seconds: float) -> float:
    """Return the requests in a second of the parts that run, without work."""
    async with counting(fleet) as counted:
        await asyncio.sleep(seconds)
    return counted.requests() / counted.seconds
