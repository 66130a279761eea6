"""A listening server: uvicorn as a library, on a socket of our own."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from functools import partial
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from engine.net.http_server import StoppableServer, make_config
from engine.settings import SettingError
from gateway.admission.connections import Connections
from gateway.admission.departure import Departure
from gateway.http.protocol import GatewayProtocol

KEEP_ALIVE_SECONDS = 75
DRAIN_SECONDS = 8
"""Longest time for answers under way after the process was told to stop."""
BACKLOG = 8_192


def bind(host: str, port: int, *, setting: str = "HEADRACE_PORT") -> socket.socket:
    """Return a socket bound to the address; other gateways may bind it too.

    Raises SettingError, which names the setting of the port.
    """
    with contextlib.ExitStack() as stack:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            family, kind, protocol, _, address = found[0]
            # asyncio's own loop disables Nagle's delay only for sockets created as TCP.
            bound = stack.enter_context(socket.socket(family, kind, protocol))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            bound.bind(address)
        except OSError as error:
            reason = error.strerror or error
            raise SettingError(
                f"{setting}: port {port} on {host} cannot be listened on: {reason}."
            ) from error
        stack.pop_all()
    return bound


async def serve_app(
    app: ASGIApp,
    bound: socket.socket,
    departure: Departure,
    *,
    protocol: type[GatewayProtocol] = GatewayProtocol,
    connections: Connections | None = None,
) -> None:
    """Serve one application on a bound socket until its departure is over, then finish answers.

    `connections` bounds those of one peer; None: they are not bounded.
    """
    config = make_config(
        app,
        http=partial(protocol, connections=connections, departure=departure),
        interface="asgi3",
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        backlog=BACKLOG,
    )
    await _Server(config, departure).serve(sockets=[bound])


class _Server(StoppableServer):
    """Server whose peers have time to turn to another before it closes its listener."""

    def __init__(self, config: uvicorn.Config, departure: Departure) -> None:
        super().__init__(config, departure.stopping)
        self._departure = departure

    async def main_loop(self) -> None:
        departing = asyncio.create_task(self._depart())
        try:
            await super().main_loop()
        finally:
            departing.cancel()

    async def _depart(self) -> None:
        await self._departure.wait_begun()
        connections = self.server_state.connections
        for connection in [*connections]:
            cast(GatewayProtocol, connection).answer_last()
        await self._departure.wait_quiet(lambda: connections)
        self._departure.stopping.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the listener, but serve the connections that it has queued."""
        queued = [each for bound in sockets or () for each in accept_queued(bound)]
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        for each in queued:
            await loop.connect_accepted_socket(self._make_protocol, each)
        await super().shutdown(sockets)

    def _make_protocol(self) -> asyncio.Protocol:
        make = cast(Callable[..., asyncio.Protocol], self.config.http_protocol_class)
        return make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


def accept_queued(bound: socket.socket) -> list[socket.socket]:
    """Return the connections that a listening socket has queued."""
    found = []
    bound.setblocking(False)
    with contextlib.suppress(OSError):
        while True:
            found.append(bound.accept()[0])
    return found
