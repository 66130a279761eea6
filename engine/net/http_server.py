"""uvicorn as a library: a server that an event stops, on sockets of its caller."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp

TICK_SECONDS = 1.0


def make_config(app: ASGIApp, **options: Any) -> uvicorn.Config:
    """Return the configuration of a server that writes no log lines and headers of its own."""
    options = {"http": "httptools", "ws": "none", "lifespan": "off", **options}
    return uvicorn.Config(
        app, log_config=None, access_log=False, proxy_headers=False, server_header=False, **options
    )


class StoppableServer(uvicorn.Server):
    """Server that an event stops; the process handles the signals."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the process."""
        yield

    async def main_loop(self) -> None:
        """Refresh the date of answers until it is time to stop."""
        while not self._stopping.is_set():
            await self.on_tick(0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._stopping.wait()
