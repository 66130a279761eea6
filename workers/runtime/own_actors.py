"""The operator's own actors: the modules that HEADRACE_ACTORS names, run by Dramatiq's worker.

They run in threads of the worker process, with their arguments and middleware, apart from the walks
of executions.
"""

import asyncio
import importlib
import logging
from typing import Self

import dramatiq
from dramatiq.worker import Worker

from engine.settings import SettingError, Settings
from engine.store.redis.installation import Guard
from workers.runtime.messages import MessageBroker, own_broker

VARIABLE = "HEADRACE_ACTORS"

log = logging.getLogger(__name__)


class OwnActors:
    """Dramatiq's worker for the actors of some modules."""

    def __init__(self, broker: MessageBroker, threads: int) -> None:
        self._broker = broker
        self._worker = Worker(broker, worker_threads=threads)
        # Further ones would be lost with a process that dies.
        self._worker.queue_prefetch = threads

    @classmethod
    def load(cls, settings: Settings) -> Self | None:
        """Import the modules; None when there are none. Raises SettingError."""
        modules = [name.strip() for name in settings.actors.split(",") if name.strip()]
        if not modules:
            return None
        broker = own_broker()
        dramatiq.set_broker(broker)
        for name in modules:
            _import(name)
        if not broker.actors:
            raise SettingError(
                f"{VARIABLE}: {', '.join(modules)} declares no actor on the broker of Headrace: "
                "set workers.runtime.messages.own_broker() as the module's broker"
            )
        return cls(broker, settings.actor_threads)

    async def start(self, guard: Guard | None) -> None:
        """Start to take messages, only from a Redis that the guard admits."""
        self._broker.guard = guard
        self._broker.emit_after("process_boot")
        await asyncio.to_thread(self._worker.start)
        log.info("runs own actors", extra={"actors": sorted(self._broker.actors)})

    async def stop(self, seconds: float) -> None:
        """Take no more messages; running actors have some seconds to end.

        Messages that no actor has received go back into their queues.
        """
        await asyncio.to_thread(self._worker.stop, timeout=int(seconds * 1000))


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        where = "is its folder in PYTHONPATH?" if error.name == name else f"'{name}' needs it"
        raise SettingError(f"{VARIABLE}: there is no module '{error.name}'; {where}") from error
    except Exception as error:
        log.exception("a module of own actors cannot be imported", extra={"module_name": name})
        reason = f"{type(error).__name__}: {error}"
        raise SettingError(f"{VARIABLE}: '{name}' cannot be imported: {reason}") from error
