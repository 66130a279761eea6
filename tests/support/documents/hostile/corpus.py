"""All hostile documents, with the names and types under which they are uploaded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.support.documents.hostile import office, pdfs, texts

OFFICE = "application/vnd.openxmlformats-officedocument."
KINDS: tuple[tuple[str, str, dict[str, Callable[[str], bytes]]], ...] = (
    ("docx", f"{OFFICE}wordprocessingml.document", office.WORD),
    ("xlsx", f"{OFFICE}spreadsheetml.sheet", office.EXCEL),
    ("pptx", f"{OFFICE}presentationml.presentation", office.POWER_POINT),
    ("pdf", "application/pdf", pdfs.PDFS),
    ("html", "text/html", texts.HTML),
    ("csv", "text/csv", texts.CSV),
    ("md", "text/markdown", texts.MARKDOWN),
    ("json", "application/json", texts.JSON),
)


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
    for ending, content_type, makers in KINDS:
        for about, make in makers.items():
            yield HostileDocument(ending, content_type, about, make)
