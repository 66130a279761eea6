"""Limits of documents, and their failures."""

from engine.errors.nodes import DOCUMENT_UNREADABLE, NodeFailed

MAX_INFLATED_BYTES = 256 * 1024 * 1024
MAX_CHARACTERS = 50_000_000
"""Of the text of a document; that of a book has a million."""
MAX_CELLS = 2_000_000
"""Of all tables of a document."""


def unreadable(message: str) -> NodeFailed:
    """Return the failure of a document."""
    return NodeFailed(DOCUMENT_UNREADABLE, message)


def check_count(count: int, parts: str, most: int) -> None:
    """Raise NodeFailed for a document with more parts, such as pages, than are read."""
    if count > most:
        raise unreadable(f"The document has {count} {parts}; at most {most} are read")


class CellBudget:
    """Counts the cells of a document's tables."""

    def __init__(self, most: int = MAX_CELLS) -> None:
        self._most = self._left = most

    def take(self, count: int) -> None:
        """Count cells. Raises NodeFailed."""
        self._left -= count
        if self._left < 0:
            raise unreadable(f"The document has more than {self._most} cells")
