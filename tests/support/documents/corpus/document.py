"""One document of the corpus, with its truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusDocument:
    """A file, and what a reader must find in it."""

    name: str
    content_type: str
    make: Callable[[], bytes]
    text: str = ""
    """All of its words, in reading order."""
    tables: Sequence[list[list[Any]]] = ()
    pages: int = 1
    is_scanned: bool = False
    """Its words are a picture."""
    fails: str = ""
    """Words of the reason why it cannot be read; empty: it can."""
