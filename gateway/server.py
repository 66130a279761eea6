"""The gateway as a process: its listeners, and an end that is orderly."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Iterator

import uvloop

from engine import log
from engine.settings import Settings
from gateway.app import create_app, create_metrics_app
from gateway.listener import bind, serve_app


def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    log.set_up(settings.log_level)
    return uvloop.run(serve(settings))


async def serve(
    settings: Settings,
    *,
    stopping: asyncio.Event | None = None,
    bound: socket.socket | None = None,
) -> int:
    """Serve until a signal comes or `stopping` is set; the exit code.

    Any number of processes may serve the settings' address. `bound` is a socket to use instead.
    """
    stopping = stopping or asyncio.Event()
    bound = bound or bind(settings.host, settings.port)
    servers = [serve_app(create_app(settings, stopping), bound, stopping)]
    if settings.metrics_port:
        metrics_socket = bind(settings.metrics_host or settings.host, settings.metrics_port)
        metrics_app = create_metrics_app(settings, stopping)
        servers.append(serve_app(metrics_app, metrics_socket, stopping))
    with _signals(stopping):
        await asyncio.gather(*servers)
    return 0


@contextlib.contextmanager
def _signals(stopping: asyncio.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    caught = (signal.SIGTERM, signal.SIGINT)
    for number in caught:
        loop.add_signal_handler(number, stopping.set)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
