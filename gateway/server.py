"""The gateway process: its listeners, and an orderly stop."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

import uvloop

from engine.process import setup
from engine.process.stop_signals import stop_signals
from engine.settings import Settings
from engine.telemetry import log
from gateway.admission.departure import Departure
from gateway.app import create_app, create_metrics_app
from gateway.http.listener import bind, serve_app
from gateway.services import Services, open_services


def run(settings: Settings) -> int:
    """Serve until a signal; return the exit code. Raises like `serve`."""
    log.set_up(settings.log_level)
    setup.set_up()
    return uvloop.run(serve(settings))


async def serve(
    settings: Settings,
    *,
    stopping: asyncio.Event | None = None,
    bound: socket.socket | None = None,
) -> int:
    """Serve until a signal comes or `stopping` is set; return the exit code.

    After a signal it goes on for as long as its peers send requests, up to some seconds.

    Any number of processes may serve the settings' address. `bound` is a socket to use instead.

    Raises SettingError for a port that cannot be listened on. Raises SchemaTooNew after an orderly
    stop, once the store has a schema that is unknown here.
    """
    departure = Departure.of(settings, stopping)
    bound = bound or bind(settings.host, settings.port)
    metrics = _bind_metrics(settings)
    with _signals(departure):
        async with open_services(settings, departure) as services:
            services.store.guard.stop_on_new_schema(departure.stopping.set)
            await asyncio.gather(
                serve_app(create_app(services), bound, departure, connections=services.connections),
                _serve_metrics(services, metrics),
                _end_streams(services),
            )
    services.store.guard.raise_for_schema()
    return 0


def _bind_metrics(settings: Settings) -> socket.socket | None:
    if not settings.metrics_port:
        return None
    host = settings.metrics_host or settings.host
    return bind(host, settings.metrics_port, setting="HEADRACE_METRICS_PORT")


async def _serve_metrics(services: Services, bound: socket.socket | None) -> None:
    if bound is not None:
        await serve_app(create_metrics_app(services), bound, Departure(services.stopping))


async def _end_streams(services: Services) -> None:
    """Let streams that sleep see that the process stops."""
    await services.stopping.wait()
    services.open_streams.wake_all()


@contextlib.contextmanager
def _signals(departure: Departure) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    caught = stop_signals()
    for number in caught:
        loop.add_signal_handler(number, departure.begin)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
