"""One listening server: uvicorn as a library, on a socket of our own."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from gateway.protocol import GatewayProtocol

KEEP_ALIVE_SECONDS = 75
DRAIN_SECONDS = 8
"""How long answers under way may take once the process was told to stop."""
BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address, which other processes may bind too. Raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


async def serve_app(
    app: ASGIApp,
    bound: socket.socket,
    stopping: asyncio.Event,
    *,
    protocol: type[GatewayProtocol] = GatewayProtocol,
) -> None:
    """Serve one application on a bound socket until `stopping` is set, then let answers end."""
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        backlog=BACKLOG,
    )
    server = _Server(config)
    stopper = asyncio.create_task(_stop(server, stopping))
    try:
        await server.serve(sockets=[bound])
    finally:
        stopper.cancel()


class _Server(uvicorn.Server):
    """A server whose signals are ours to handle, for there may be several in a process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _stop(server: uvicorn.Server, stopping: asyncio.Event) -> None:
    await stopping.wait()
    server.should_exit = True
