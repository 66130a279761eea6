"""What the walks of a worker process share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from engine.store.asides import Asides
from engine.store.events import Events
from engine.store.walks import Walks
from workers.executor import Executor


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What walks of a worker process share."""

    walks: Walks
    asides: Asides
    events: Events
    executor: Executor
    worker_id: str
    cpu_slots: int
    max_bytes: int
    is_draining: Callable[[], bool]
    ask_help: Callable[[str], Awaitable[None]]
    rest: Callable[[str], None]
    """An execution waits for something other than this process."""
