"""Results of executions: on the record, or kept aside and read from there."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from engine.errors import ResultGone, ResultUnreadable, StorageFailed
from engine.executions.execution import Execution
from engine.store.executions.offload import OffloadedValues, size_of
from engine.store.executions.records import parse_name
from engine.store.redis.records import unpack

ReserveMemory = Callable[[int], Awaitable[None]]
"""Waits until a reader may have so many bytes of large results. Raises TimeoutError."""
BUSY = "Too many large results are being read right now"


class Results:
    """Puts what an execution has come to beside what is known of it."""

    def __init__(self, offloaded: OffloadedValues) -> None:
        self._offloaded = offloaded

    async def add(
        self, execution: Execution, result: bytes | None, reserve: ReserveMemory | None = None
    ) -> Execution:
        """The execution with its result, of which this is on record.

        One that is kept aside is held while it is read; raises ResultGone or ResultUnreadable then.
        """
        name = parse_name(result)
        if name is not None:
            result = await self._read(execution, name, reserve)
        return replace(execution, result=unpack(result)) if result else execution

    async def _read(self, execution: Execution, name: str, reserve: ReserveMemory | None) -> bytes:
        try:
            if reserve is not None:
                await reserve(size_of(name))
            return await self._offloaded.read(execution.account_id, execution.id, name)
        except FileNotFoundError:
            raise ResultGone(execution.id) from None
        except TimeoutError:
            raise ResultUnreadable(execution.id, BUSY) from None
        except StorageFailed:
            raise ResultUnreadable(execution.id) from None
