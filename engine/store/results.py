"""Results of executions: on the record, or kept aside and read from there."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from engine.errors import ResultGone, ResultUnreadable, StorageFailed
from engine.executions import Execution
from engine.store.asides import Asides, size_of
from engine.store.execution_records import parse_name
from engine.store.records import unpack

Hold = Callable[[int], Awaitable[None]]
"""Waits until a reader may have so many bytes of large results. Raises TimeoutError."""
BUSY = "Too many large results are being read right now"


class Results:
    """Puts what an execution has come to beside what is known of it."""

    def __init__(self, asides: Asides) -> None:
        self._asides = asides

    async def add(
        self, execution: Execution, result: bytes | None, hold: Hold | None = None
    ) -> Execution:
        """The execution with its result, of which this is on record.

        One that is kept aside is held while it is read; raises ResultGone or ResultUnreadable then.
        """
        name = parse_name(result)
        if name is not None:
            result = await self._read(execution, name, hold)
        return replace(execution, result=unpack(result)) if result else execution

    async def _read(self, execution: Execution, name: str, hold: Hold | None) -> bytes:
        try:
            if hold is not None:
                await hold(size_of(name))
            return await self._asides.read(execution.account_id, execution.id, name)
        except FileNotFoundError:
            raise ResultGone(execution.id) from None
        except TimeoutError:
            raise ResultUnreadable(execution.id, BUSY) from None
        except StorageFailed:
            raise ResultUnreadable(execution.id) from None
