"""The stub as a process: one listener, one line when it serves, and an orderly stop."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
import uvloop
from starlette.types import ASGIApp

from deploy.net.host_ports import port_of, reachable_host, reserve_port, url_of
from engine.net.http_server import make_config
from engine.process import setup
from engine.process.stop_signals import stop_signals

DRAIN_SECONDS = 1
BACKLOG = 8_192


def run(app: ASGIApp, host: str, port: int) -> int:
    """Serve until a signal; return the exit code. Raises CommandFailed for a busy port."""
    with reserve_port(host, port) as bound:
        ready = f"ready {url_of(reachable_host(host), port_of(bound))}"
        setup.set_up()
        uvloop.run(_Server(_config(app), ready).serve(sockets=[bound]))
    return 0


def _config(app: ASGIApp) -> uvicorn.Config:
    return make_config(
        app,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        backlog=BACKLOG,
    )


class _Server(uvicorn.Server):
    """Prints a line when it serves; a signal ends it without being raised again."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and print the address."""
        await super().startup(sockets)
        print(self._ready, flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let a signal end the server."""
        loop = asyncio.get_running_loop()
        for number in stop_signals():
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield
