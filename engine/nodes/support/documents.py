"""Documents: their text by page and their tables, as nodes and models use them."""

from dataclasses import dataclass
from typing import Any

DOCUMENT_SECONDS = 10.0
"""Longest time for a document, where the node has no time-out of its own."""
MAX_PAGES = 2_000
USUAL_PAGES = 500
MAX_CHARACTERS = 50_000_000
"""Of the text of a document, or of a list of them; that of a book has a million."""
MAX_CELLS = 2_000_000
"""Of all tables of a document, or of a list of them."""

Table = list[list[Any]]
"""Rows of cells: texts, and JSON values in spreadsheets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentOptions:
    """Limit of pages, and treatment of pages without a text."""

    max_pages: int = USUAL_PAGES
    """A document with more pages fails."""
    reads_pictures: bool = False
    """Pages without a text are pictures that a local model reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentText:
    """Contents of a document."""

    content_type: str
    pages: tuple[str, ...]
    """Markdown of each page, slide or sheet; one for documents without pages."""
    tables: tuple[Table, ...] = ()

    @property
    def text(self) -> str:
        """Markdown of the whole document."""
        return "\n\n".join(page for page in self.pages if page)
