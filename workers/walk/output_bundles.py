"""Many middling outputs in few objects: what comes while one is written goes into the next."""

import asyncio
from dataclasses import dataclass

from engine.errors import StorageFailed
from engine.store.executions.claims import ClaimedExecution
from engine.store.executions.offload import OffloadedValues, make_name, make_part

BUNDLE_BYTES = 8_388_608


@dataclass(slots=True, eq=False)
class _Waiting:
    """A node's output that is to be written, and its name when it was."""

    index: int
    data: bytes
    name: str = ""
    is_done: bool = False


class OutputBundles:
    """Writes outputs of one walk together, one object after the other.

    There is no task for it: whoever has the turn writes what all have brought until then.
    """

    def __init__(self, offloaded: OffloadedValues, claimed: ClaimedExecution) -> None:
        self._offloaded = offloaded
        self._claimed = claimed
        self._turn = asyncio.Lock()
        self._waiting: list[_Waiting] = []

    async def put(self, index: int, data: bytes, seconds: float) -> str:
        """Store a node's output; returns its name. Raises StorageFailed, also after the time."""
        mine = _Waiting(index, data)
        self._waiting.append(mine)
        try:
            async with asyncio.timeout(seconds), self._turn:
                if not mine.is_done:
                    await self._write(self._take(mine))
        except TimeoutError:
            raise StorageFailed from None
        finally:
            self._waiting = [each for each in self._waiting if each is not mine]
        if not mine.name:
            raise StorageFailed
        return mine.name

    def _take(self, mine: _Waiting) -> list[_Waiting]:
        """What one object has room for, this in any case."""
        taken, room = [mine], BUNDLE_BYTES - len(mine.data)
        for each in self._waiting:
            if each is not mine and len(each.data) <= room:
                taken.append(each)
                room -= len(each.data)
        return taken

    async def _write(self, taken: list[_Waiting]) -> None:
        """Write an object; those who wait go on waiting when whoever writes it is cancelled."""
        ids = self._claimed.account_id, self._claimed.execution_id
        data = b"".join([each.data for each in taken])
        name, start = make_name(self._claimed.lease.object_prefix, taken[0].index, len(data)), 0
        try:
            await self._offloaded.put(*ids, name, data)
        except StorageFailed:
            name = ""
        for each in taken:
            each.is_done = True
            each.name = name and make_part(name, start, len(each.data))
            start += len(each.data)
        self._waiting = [each for each in self._waiting if not each.is_done]
