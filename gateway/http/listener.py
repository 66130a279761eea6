"""A listening server: uvicorn as a library, on a socket of our own."""

import asyncio
import socket
from functools import partial
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from engine.net.http_server import StoppableServer
from gateway.admission.connections import Connections
from gateway.http.protocol import GatewayProtocol

KEEP_ALIVE_SECONDS = 75
DRAIN_SECONDS = 8
"""Longest time for answers under way after the process was told to stop."""
BACKLOG = 8_192


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address; other processes may bind it too. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, kind, protocol, _, address = found[0]
    # asyncio's own loop disables Nagle's delay only for sockets created as TCP.
    bound = socket.socket(family, kind, protocol)
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
    connections: Connections | None = None,
) -> None:
    """Serve one application on a bound socket until `stopping` is set, then finish its answers.

    `connections` bounds those of one peer; None: they are not bounded.
    """
    make_protocol = partial(protocol, connections=connections)
    config = uvicorn.Config(
        app,
        http=cast(type[GatewayProtocol], make_protocol),
        interface="asgi3",
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
    await StoppableServer(config, stopping).serve(sockets=[bound])
