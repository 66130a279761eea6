"""Home of the library's server in this process: imported and started by the first request."""

import asyncio
import importlib
import threading
from contextlib import AbstractAsyncContextManager
from types import ModuleType
from typing import Protocol

from starlette.types import Receive, Scope, Send

from engine.settings import Settings

SERVER = "gateway.mcp.server"
LIBRARY = "mcp"
_importing = threading.Lock()


class McpMissing(Exception):
    """The extra that brings the library is not installed."""


async def import_beside(name: str) -> ModuleType:
    """Return a module that uses the library, imported by a thread, one module at a time.

    Modules of the library import each other: when two threads begin at different ones, each waits
    for the other, and Python lets one of the imports fail. Raises ModuleNotFoundError.
    """
    return await asyncio.to_thread(_import_alone, name)


def _import_alone(name: str) -> ModuleType:
    with _importing:
        return importlib.import_module(name)


class McpServer(Protocol):
    """The library's server behind its transports."""

    def run(self) -> AbstractAsyncContextManager[None]:
        """Serve while the context lasts, which one task enters and leaves."""
        ...

    async def handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        ...


class McpHost:
    """Starts the server once; a gateway that is never asked for it pays nothing."""

    def __init__(self) -> None:
        self._starting = asyncio.Lock()
        self._server: McpServer | None = None
        self._serving: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def server(self, settings: Settings) -> McpServer:
        """Return the running server. Raises McpMissing."""
        if self._server is None:
            async with self._starting:
                if self._server is None:
                    self._server = await self._start(settings)
        return self._server

    async def _start(self, settings: Settings) -> McpServer:
        try:
            module = await import_beside(SERVER)
        except ModuleNotFoundError as error:
            if error.name is not None and error.name.partition(".")[0].startswith(LIBRARY):
                raise McpMissing from None
            raise
        server: McpServer = module.open_server(settings)
        is_up = asyncio.Event()
        self._serving = asyncio.create_task(self._serve(server, is_up), name="mcp")
        await is_up.wait()
        return server

    async def _serve(self, server: McpServer, is_up: asyncio.Event) -> None:
        async with server.run():
            is_up.set()
            await self._closing.wait()

    async def close(self) -> None:
        """Stop the server; nothing happens without one."""
        self._closing.set()
        if self._serving is not None:
            await self._serving
