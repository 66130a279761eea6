"""Book of one execution of a replay, read when the first node needs it."""

from engine.errors import StorageFailed, Unavailable
from engine.errors.nodes import STORAGE, NodeFailed
from engine.services.replays.books import Book, OpenBook, unpack_book
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.offload import size_of
from engine.store.executions.record_fields import BOOK, parse_name
from workers.nodes.memory import RunMemory
from workers.walk.dependencies import WalkDependencies

GONE = "The recorded outcomes of the earlier run are not where they were kept any more"
UNREAD = "The recorded outcomes of an earlier run cannot be read just now"


class RecordedBook:
    """Reads the book of one execution once."""

    __slots__ = ("_claimed", "_memory", "_offloaded", "_opened")

    def __init__(
        self, claimed: ClaimedExecution, dependencies: WalkDependencies, memory: RunMemory
    ) -> None:
        self._claimed = claimed
        self._offloaded = dependencies.offloaded
        self._memory = memory
        self._opened: OpenBook | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Account and execution that keep the book and its objects."""
        return self._claimed.account_id, self._claimed.execution_id

    async def open(self) -> OpenBook:
        """Return the book. Raises NodeFailed if it is gone, and Unavailable."""
        if self._opened is None:
            packed = await self._read()
            self._opened = OpenBook(unpack_book(packed) if packed else Book())
        return self._opened

    async def _read(self) -> bytes:
        packed = self._claimed.record.get(BOOK, b"")
        name = parse_name(packed)
        if name is None:
            return packed
        await self._memory.wait()
        self._memory.add(size_of(name))
        try:
            return await self._offloaded.read(*self.place, name)
        except FileNotFoundError:
            raise NodeFailed(STORAGE, GONE) from None
        except StorageFailed:
            raise Unavailable(UNREAD) from None
