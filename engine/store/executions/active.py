"""Facts of executions that have not ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from engine.executions.execution import ExecutionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveExecution:
    """Execution that has not ended, by the facts that select it."""

    FIELDS: ClassVar = ("status", "slug", "key", "source")

    id: str
    status: ExecutionStatus
    slug: str
    key_id: str
    source: str

    @classmethod
    def of(cls, execution_id: str, values: Sequence[bytes | None]) -> "ActiveExecution":
        """Return the execution of its `FIELDS` on record."""
        status, slug, key_id, source = ((each or b"").decode() for each in values)
        return cls(
            id=execution_id,
            status=ExecutionStatus(status),
            slug=slug,
            key_id=key_id,
            source=source,
        )
