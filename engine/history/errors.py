"""Failure of the history's database."""

from engine.errors import Unavailable


class HistoryUnavailable(Unavailable):
    """The database cannot be used now; `reason` is its message, which is not for callers."""

    def __init__(self, reason: str, *, is_about_data: bool = False) -> None:
        super().__init__("The history cannot be read right now")
        self.reason = reason
        self.is_about_data = is_about_data
        """Whether the database refused the values of a statement."""
