"""Results of executions: on the record, or kept aside and read from there."""

from dataclasses import replace

from engine.errors import ResultGone, ResultUnreadable, StorageFailed
from engine.executions import Execution
from engine.store.asides import Asides
from engine.store.execution_records import parse_name
from engine.store.records import unpack


class Results:
    """Puts what an execution has come to beside what is known of it."""

    def __init__(self, asides: Asides) -> None:
        self._asides = asides

    async def add(self, execution: Execution, result: bytes | None) -> Execution:
        """The execution with its result, of which this is on record.

        Raises ResultGone or ResultUnreadable when it is kept aside.
        """
        name = parse_name(result)
        if name is not None:
            result = await self._read(execution, name)
        return replace(execution, result=unpack(result)) if result else execution

    async def _read(self, execution: Execution, name: str) -> bytes:
        try:
            return await self._asides.read(execution.account_id, execution.id, name)
        except FileNotFoundError:
            raise ResultGone(execution.id) from None
        except StorageFailed:
            raise ResultUnreadable(execution.id) from None
