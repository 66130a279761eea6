"""Failure of the history's database."""

from engine.errors import Unavailable
from engine.store.archive.state import CANNOT_READ


class HistoryUnavailable(Unavailable):
    """The database cannot be used now; `reason` is its message, which is not for callers."""

    def __init__(self, reason: str, *, is_about_data: bool = False, is_slow: bool = False) -> None:
        super().__init__(CANNOT_READ)
        self.reason = reason
        self.is_about_data = is_about_data
        """Whether the database refused the values of a statement."""
        self.is_slow = is_slow
        """Whether it works, and a statement took too long."""
