"""An application served by a thread, over a real socket."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

import uvloop
from starlette.types import ASGIApp

from gateway.admission.connections import Connections
from gateway.admission.departure import Departure
from gateway.http.listener import bind, serve_app
from gateway.http.protocol import GatewayProtocol
from tests.support.eventually import PATIENCE_SECONDS


@contextlib.contextmanager
def serving(
    app: ASGIApp,
    protocol: type[GatewayProtocol] = GatewayProtocol,
    connections: Connections | None = None,
) -> Iterator[tuple[str, int]]:
    """Run a server while the context lasts; yield its address."""
    bound = bind("127.0.0.1", 0)
    bound.listen()
    address: tuple[str, int] = bound.getsockname()
    stopping: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    is_up = threading.Event()

    async def main() -> None:
        event = asyncio.Event()
        stopping.append((asyncio.get_running_loop(), event))
        is_up.set()
        departure = Departure(event)
        await serve_app(app, bound, departure, protocol=protocol, connections=connections)

    thread = threading.Thread(target=lambda: uvloop.run(main()))
    thread.start()
    is_up.wait()
    try:
        yield address
    finally:
        loop, event = stopping[0]
        loop.call_soon_threadsafe(event.set)
        thread.join()


def exchange(address: tuple[str, int], data: bytes, timeout: float = PATIENCE_SECONDS) -> bytes:
    """Send the bytes and read until the server closes. Raises TimeoutError when it does not."""
    with socket.create_connection(address, timeout=timeout) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
        return read_to_end(connection)


def read_to_end(connection: socket.socket) -> bytes:
    """Return all bytes until the server closes."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65_536):
            received += piece
    return received
