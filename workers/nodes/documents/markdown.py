"""Markdown of tables and paragraphs."""

from collections.abc import Sequence
from typing import Any

from engine.nodes.support.documents import Table

MAX_LEVEL = 6


def table_text(table: Table) -> str:
    """Return a table in Markdown; its first row is the header."""
    width = max((len(row) for row in table), default=0)
    if not width:
        return ""
    lines = [_line([*row, *[""] * (width - len(row))]) for row in table]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def heading(level: int, text: str) -> str:
    """Return a heading of one line."""
    return f"{'#' * min(max(level, 1), MAX_LEVEL)} {' '.join(text.split())}"


def _line(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return " ".join(text.split()).replace("|", "\\|")
