"""Bundles of medium-sized outputs: outputs that arrive during a write share the next object."""

import asyncio
from dataclasses import dataclass

from engine.errors import StorageFailed
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.offload import OffloadedValues, make_name, make_part

BUNDLE_BYTES = 8_388_608


@dataclass(slots=True, eq=False)
class _PendingOutput:
    """Output of a node that waits to be written, and its name once it was."""

    index: int
    data: bytes
    name: str = ""
    is_done: bool = False


class OutputBundles:
    """Writes outputs of one walk together, one object after the other.

    There is no task for it: the caller that holds the lock writes all outputs that wait by then.
    """

    __slots__ = ("_claimed", "_lock", "_offloaded", "_pending")

    def __init__(self, offloaded: OffloadedValues, claimed: ClaimedExecution) -> None:
        self._offloaded = offloaded
        self._claimed = claimed
        self._lock = asyncio.Lock()
        self._pending: list[_PendingOutput] = []

    async def put_output(self, index: int, data: bytes, seconds: float) -> str:
        """Store a node's output; returns its name. Raises StorageFailed, also after the time."""
        entry = _PendingOutput(index, data)
        self._pending.append(entry)
        try:
            async with asyncio.timeout(seconds), self._lock:
                if not entry.is_done:
                    await self._write(self._take(entry))
        except TimeoutError:
            raise StorageFailed from None
        finally:
            self._pending = [each for each in self._pending if each is not entry]
        if not entry.name:
            raise StorageFailed
        return entry.name

    def _take(self, entry: _PendingOutput) -> list[_PendingOutput]:
        """Return this entry and further ones that fit into one object."""
        batch, space_left = [entry], BUNDLE_BYTES - len(entry.data)
        for each in self._pending:
            if each is not entry and len(each.data) <= space_left:
                batch.append(each)
                space_left -= len(each.data)
        return batch

    async def _write(self, batch: list[_PendingOutput]) -> None:
        """Write an object. When the writer is cancelled, the other entries keep waiting."""
        ids = self._claimed.account_id, self._claimed.execution_id
        data = b"".join([each.data for each in batch])
        name, start = make_name(self._claimed.lease.object_prefix, batch[0].index, len(data)), 0
        try:
            await self._offloaded.put(*ids, name, data)
        except StorageFailed:
            name = ""
        for each in batch:
            each.is_done = True
            each.name = name and make_part(name, start, len(each.data))
            start += len(each.data)
        self._pending = [each for each in self._pending if not each.is_done]
