"""Results of executions: recorded or offloaded."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from engine.errors import ResultGone, ResultUnreadable, StorageFailed
from engine.executions.execution import Execution
from engine.store.executions.offload import OffloadedValues, object_of, part_of, size_of
from engine.store.executions.record_fields import parse_name
from engine.store.redis.record_packing import unpack

ReserveMemory = Callable[[int], Awaitable[None]]
"""Reserves memory for large results in bytes. Raises TimeoutError."""
BUSY = "Too many large results are being read right now"


class Results:
    """Adds results to executions."""

    def __init__(self, offloaded: OffloadedValues) -> None:
        self._offloaded = offloaded

    async def add_result(
        self, execution: Execution, result: bytes | None, reserve: ReserveMemory | None = None
    ) -> Execution:
        """Return the execution with its result, given its recorded form.

        Memory is reserved for an offloaded result, which may raise ResultGone or ResultUnreadable.
        """
        name = parse_name(result)
        if name is not None:
            result = await self._read(execution, name, reserve)
        return replace(execution, result=unpack(result)) if result else execution

    async def _read(self, execution: Execution, name: str, reserve: ReserveMemory | None) -> bytes:
        try:
            if reserve is not None:
                await reserve(size_of(name))
            ids = execution.account_id, execution.id
            return part_of(name, await self._offloaded.read(*ids, object_of(name)))
        except FileNotFoundError:
            raise ResultGone(execution.id) from None
        except TimeoutError:
            raise ResultUnreadable(execution.id, BUSY) from None
        except StorageFailed:
            raise ResultUnreadable(execution.id) from None


def result_size(result: bytes | None) -> int:
    """Return the packed size of a recorded or offloaded result; 0 for none."""
    name = parse_name(result)
    return len(result or b"") if name is None else size_of(name)
