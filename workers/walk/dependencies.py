"""Dependencies shared by all walks of a worker process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from engine.process.lru_cache import LruCache
from engine.services.replays.books import OpenBook
from engine.services.runs.child_targets import ChildTargets
from engine.store.children.groups import Children
from engine.store.children.keys import GroupRef
from engine.store.executions.checkpoints import Checkpoints
from engine.store.executions.events import ExecutionEvents
from engine.store.executions.offload import OffloadedValues
from engine.store.executions.walks import Walks
from engine.store.waits.node_waits import NodeWaits
from workers.nodes.executor import Executor

OpenBooks = LruCache[str, OpenBook]
BOOKS_KEPT = 32
BOOKS_BYTES = 33_554_432
"""Total packed size of all cached books."""


def open_books() -> OpenBooks:
    """Return an empty cache of books."""
    return LruCache(BOOKS_KEPT, BOOKS_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkDependencies:
    """Dependencies shared by all walks of a worker process."""

    walks: Walks
    children: Children
    child_targets: ChildTargets
    node_waits: NodeWaits
    checkpoints: Checkpoints
    offloaded: OffloadedValues
    events: ExecutionEvents
    executor: Executor
    worker_id: str
    cpu_slots: int
    max_bytes: int
    is_draining: Callable[[], bool]
    request_help: Callable[[str], Awaitable[None]]
    feed_children: Callable[[GroupRef], None]
    """Begin or cancel children of a group soon."""
    mark_idle: Callable[[str], None]
    """Note that an execution waits for something other than this process."""
    open_books: OpenBooks = field(default_factory=open_books)
    """Books of replays by execution, which all children of one share."""
