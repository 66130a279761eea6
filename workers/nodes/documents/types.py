"""Content types of documents, and the type of a file that no record tells."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

OFFICE = "application/vnd.openxmlformats-officedocument."
PDF = "application/pdf"
DOCX = f"{OFFICE}wordprocessingml.document"
XLSX = f"{OFFICE}spreadsheetml.sheet"
PPTX = f"{OFFICE}presentationml.presentation"
CSV, TSV = "text/csv", "text/tab-separated-values"
PLAIN, MARKDOWN, HTML, JSON = "text/plain", "text/markdown", "text/html", "application/json"
TYPES = frozenset({PDF, DOCX, XLSX, PPTX, CSV, TSV, PLAIN, MARKDOWN, HTML, JSON})
PACKED = frozenset({DOCX, XLSX, PPTX})
TEXTS = TYPES - PACKED - {PDF}
PDF_HEAD_BYTES = 1_024

BY_NAME: Mapping[str, str] = {
    ".pdf": PDF,
    ".docx": DOCX,
    ".xlsx": XLSX,
    ".pptx": PPTX,
    ".csv": CSV,
    ".tsv": TSV,
    ".txt": PLAIN,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".html": HTML,
    ".htm": HTML,
    ".json": JSON,
}


def find_type(data: bytes, declared: str, url: str) -> str | None:
    """Return the type of a document by content, declared type and name; None: it is none.

    `data` is the file or its start.
    """
    if b"%PDF-" in data[:PDF_HEAD_BYTES]:
        return PDF
    names = (declared.partition(";")[0].strip().lower(), _named(url))
    allowed = PACKED if data.startswith(b"PK\x03\x04") else TEXTS
    found = [name for name in names if name in allowed]
    if PLAIN in found[:1] and len(found) > 1:
        return found[1]  # servers send most kinds of text as plain text
    return found[0] if found else None


def _named(url: str) -> str | None:
    return BY_NAME.get(PurePosixPath(unquote(urlsplit(url).path)).suffix.lower())
