"""Base class of all expected errors."""

from collections.abc import Sequence
from typing import Any, ClassVar

EXECUTION_ID = "7f9c24e8-3b12-4fef-91e0-5c0e2b8f1a6d"
"""The execution of all examples."""
GRAPH_PROBLEMS: tuple[dict[str, str], ...] = (
    {"nodeId": "text", "reason": "The placeholder 'name' has no wire"},
    {"edgeId": "text-out", "reason": "There is no node 'out'"},
)
"""The problems of the examples."""


MAX_NAMED = 10
"""Names that one message has."""


def name_first(names: Sequence[str]) -> str:
    """Return the first names in quotes, and the number of the others."""
    shown = ", ".join(f"'{name}'" for name in names[:MAX_NAMED])
    return f"{shown} and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else shown


class EngineError(Exception):
    """An expected failure: a sentence for the caller, a wire code and context for the body."""

    code: ClassVar[str | None] = "INTERNAL_ERROR"
    retry_after_seconds: int | None = None
    """Seconds after which a retry makes sense, if known."""
    examples: ClassVar[Sequence["EngineError"]] = ()
    """Instances of the class for the description of the API; empty: not shown to callers."""

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context = context


EngineError.examples = (EngineError("The execution failed", executionId=EXECUTION_ID),)
