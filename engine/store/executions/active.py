"""Executions that have not ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from engine.executions.execution import Execution
from engine.store.executions.filters import ExecutionFilter
from engine.store.executions.record_fields import HEAD_FIELDS, parse_head


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveExecution:
    """Execution that has not ended, and the key that it was begun with, empty for none."""

    FIELDS: ClassVar = (*HEAD_FIELDS, "key")

    execution: Execution
    key_id: str

    @property
    def id(self) -> str:
        """Return the execution's id."""
        return self.execution.id

    @classmethod
    def of(
        cls, account_id: str, execution_id: str, values: Sequence[bytes | None]
    ) -> "ActiveExecution":
        """Return the execution of its `FIELDS` on record."""
        *head, key_id = values
        execution = parse_head(account_id, execution_id, head)
        return cls(execution=execution, key_id=(key_id or b"").decode())

    def meets(self, wanted: ExecutionFilter) -> bool:
        """Return whether it meets every condition of the filter."""
        return wanted.matches(self.execution, self.key_id)
