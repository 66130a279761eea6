"""All hostile documents, with the names and types under which they are uploaded."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from engine.media.documents.types import NAMED
from tests.support.documents.hostile import office, pdfs, texts

MAKERS: Mapping[str, Mapping[str, Callable[[str], bytes]]] = {
    "docx": office.WORD,
    "xlsx": office.EXCEL,
    "pptx": office.POWER_POINT,
    "pdf": pdfs.PDFS,
    "html": texts.HTML,
    "csv": texts.CSV,
    "md": texts.MARKDOWN,
    "json": texts.JSON,
}
"""Makers by what their documents do, by the ending of the file."""


@dataclass(frozen=True, slots=True)
class HostileDocument:
    """One document of the corpus."""

    ending: str
    content_type: str
    about: str
    make: Callable[[str], bytes]
    """Makes the file; it gets the URL of a server that nobody may call."""

    def __str__(self) -> str:
        return f"{self.ending}: {self.about}"


def every_document() -> Iterator[HostileDocument]:
    """Yield all documents, by their type."""
    for ending, makers in MAKERS.items():
        for about, make in makers.items():
            yield HostileDocument(ending, NAMED[ending], about, make)
