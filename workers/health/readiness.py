"""Readiness of a worker, and the port on which probes ask for it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from enum import StrEnum

from engine.errors import EngineError, Unavailable, WrongStore
from engine.settings import SettingError, Settings
from engine.store import Store

STORE_SECONDS = 1.0
"""Longest wait for the store. Probes seldom wait longer for their answer."""


class Phase(StrEnum):
    """Phase of a worker's life."""

    STARTING = "starting"
    """Not listed in the store yet, or without its consumers of hints."""
    TAKING = "taking"
    """Listed, and taking hints."""
    DRAINING = "draining"
    """Told to stop: it finishes what it has and takes nothing more."""


class WorkerHealth:
    """Readiness of a worker: it is ready while it takes hints and its store answers."""

    def __init__(self, store: Store) -> None:
        self.phase = Phase.STARTING
        self._store = store

    async def reason(self) -> str:
        """Return why the worker is not ready; empty when it is."""
        if self.phase is Phase.DRAINING:
            return self.phase
        problem = await self._store_problem()
        return problem or ("" if self.phase is Phase.TAKING else self.phase)

    async def _store_problem(self) -> str:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                await self._store.ping()
        except WrongStore as error:
            return f"{error.seen} {error.fix}"
        except Unavailable as error:
            return f"{error.message}. {error.reason}" if error.reason else error.message
        except EngineError as error:
            return error.message
        except TimeoutError:
            return f"The store has not answered within {STORE_SECONDS:g} s"
        return ""


@contextlib.asynccontextmanager
async def serve_health(settings: Settings, store: Store) -> AsyncIterator[WorkerHealth]:
    """Yield the health of a worker, and answer probes on its port while the context lasts.

    With port 0 there are no probes. Raises SettingError for a port that cannot be listened on.
    """
    health = WorkerHealth(store)
    if not settings.health_port:
        yield health
        return
    from workers.health.server import serve_probes  # most workers need no web framework

    stopping = asyncio.Event()
    with _bind(settings.health_host, settings.health_port) as bound:
        serving = asyncio.create_task(serve_probes(health, bound, stopping), name="health")
        try:
            yield health
        finally:
            stopping.set()
            await serving


def _bind(host: str, port: int) -> socket.socket:
    """Return a listening socket that no other process shares."""
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = infos[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise SettingError(
            f"HEADRACE_HEALTH_PORT: port {port} on {host} cannot be listened on: "
            f"{error.strerror or error}. Each worker of a machine needs a port of its own; "
            "0 is none."
        ) from error
