"""Rows of CSV and TSV, whose cells are texts."""

import csv
import io
from collections import Counter
from collections.abc import Iterator

from engine.media.documents.types import TSV
from engine.nodes.support.documents import DocumentText
from workers.nodes.documents.limits import CellBudget, unreadable
from workers.nodes.documents.markdown import table_text
from workers.nodes.documents.texts import decode

DELIMITERS = ",;\t|"
SNIFFED_ROWS = 50
SNIFFED_CHARACTERS = 65_536
MAX_FIELD = 100_000_000


def read_tabular(content_type: str, data: bytes) -> DocumentText:
    """Return the table of a CSV or TSV. Raises NodeFailed (document_unreadable)."""
    text, cells = decode(data), CellBudget()
    delimiter = "\t" if content_type == TSV else sniff(text)
    rows: list[list[str]] = []
    try:
        for row in _rows(text, delimiter):
            cells.take(len(row))
            if any(row):
                rows.append(row)
    except csv.Error:
        raise unreadable("The document is broken: its rows cannot be read") from None
    tables = (rows,) if rows else ()
    return DocumentText(content_type=content_type, pages=(table_text(rows),), tables=tables)


def sniff(text: str) -> str:
    """Return the delimiter that splits most of the first rows into equally many cells."""
    return max(DELIMITERS, key=lambda each: (_score(text, each), -DELIMITERS.index(each)))


def _score(text: str, delimiter: str) -> tuple[float, int]:
    widths: Counter[int] = Counter()
    try:
        for row in _rows(text[:SNIFFED_CHARACTERS], delimiter):
            if row:
                widths[len(row)] += 1
            if widths.total() >= SNIFFED_ROWS:
                break
    except csv.Error:
        return 0.0, 0
    if not widths:
        return 0.0, 0
    width, count = widths.most_common(1)[0]
    return (count / widths.total(), width) if width > 1 else (0.0, 0)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_FIELD)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
