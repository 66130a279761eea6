"""A server that sends bytes which no call asked for, and sees which connections have ended."""

import asyncio
from dataclasses import dataclass

from tests.support.http.raw_server import Dropping


@dataclass
class LateServer(Dropping):
    """Answers like `Dropping`; it needs `serving_apart` too."""

    ended: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await super().serve(reader, writer)
        self.ended += 1

    def send(self, data: bytes) -> None:
        """Send on every connection; the caller's event loop stands still meanwhile."""
        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(self._send(data), self.loop).result(10)

    async def _send(self, data: bytes) -> None:
        for writer in self.writers:
            if not writer.is_closing():
                writer.write(data)
        await asyncio.sleep(0.01)
