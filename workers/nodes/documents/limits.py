"""Limits of documents, and their failures."""

from engine.errors.nodes import DOCUMENT_UNREADABLE, NodeFailed
from engine.nodes.support.documents import MAX_CELLS

MAX_INFLATED_BYTES = 256 * 1024 * 1024


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
