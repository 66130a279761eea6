"""Book of one execution of a replay, read when the first node needs it.

A child has the book of its root, which has the outcomes of the earlier root and of its children.
"""

from engine.errors import StorageFailed, Unavailable
from engine.errors.nodes import STORAGE, NodeFailed
from engine.services.replays.books import Book, OpenBook, unpack_book
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.offload import OffloadedValues
from engine.store.executions.record_fields import BOOK, parse_name
from workers.nodes.memory import RunMemory
from workers.walk.dependencies import OpenBooks, WalkDependencies

GONE = "The recorded outcomes of the earlier run are not where they were kept any more"
UNREAD = "The recorded outcomes of an earlier run cannot be read just now"


class RecordedBook:
    """Reads the book of one execution once."""

    __slots__ = ("_claimed", "_memory", "_offloaded", "_opened", "_shared")

    def __init__(
        self, claimed: ClaimedExecution, dependencies: WalkDependencies, memory: RunMemory
    ) -> None:
        self._claimed = claimed
        self._offloaded: OffloadedValues = dependencies.offloaded
        self._shared: OpenBooks = dependencies.open_books
        self._memory = memory
        self._opened: OpenBook | None = None

    @property
    def is_own(self) -> bool:
        """Whether the objects that the book names are the execution's own."""
        return self._claimed.group is None

    @property
    def place(self) -> tuple[str, str]:
        """Account and execution that keep the book and its objects."""
        return self._claimed.account_id, self._claimed.root_id

    async def open(self) -> OpenBook:
        """Return the book. Raises NodeFailed if it is gone, and Unavailable."""
        if self._opened is None:
            self._opened = None if self.is_own else self._shared.get(self._claimed.root_id)
        if self._opened is None:
            self._opened = await self._read()
        return self._opened

    async def _read(self) -> OpenBook:
        try:
            packed = await self._read_packed()
        except FileNotFoundError:
            raise NodeFailed(STORAGE, GONE) from None
        except StorageFailed:
            raise Unavailable(UNREAD) from None
        opened = OpenBook(unpack_book(packed) if packed else Book())
        if not self.is_own:
            self._shared.put(self._claimed.root_id, opened, len(packed))
        return opened

    async def _read_packed(self) -> bytes:
        """Return the packed book, of which one on the own record is counted in memory already."""
        value = self._claimed.record.get(BOOK, b"")
        if self.is_own and parse_name(value) is None:
            return value
        await self._memory.wait()
        if self.is_own:
            packed = await self._offloaded.open_value(*self.place, value)
        else:
            packed = await self._offloaded.read_field(*self.place, BOOK) or b""
        self._memory.add(len(packed))
        return packed
