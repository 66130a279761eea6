"""Base class of all expected errors."""

from typing import Any, ClassVar


class EngineError(Exception):
    """An expected failure: a sentence for the caller, a wire code and context for the body."""

    code: ClassVar[str | None] = "INTERNAL_ERROR"
    retry_after_seconds: int | None = None
    """Seconds after which a retry makes sense, if known."""

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context = context
