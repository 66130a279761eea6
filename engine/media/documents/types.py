"""Types of documents: their names, their extensions, and the marks by which they begin."""

from collections.abc import Mapping
from pathlib import PurePosixPath

PDF = "application/pdf"
OFFICE_PREFIX = "application/vnd.openxmlformats-officedocument."
DOCX = f"{OFFICE_PREFIX}wordprocessingml.document"
XLSX = f"{OFFICE_PREFIX}spreadsheetml.sheet"
PPTX = f"{OFFICE_PREFIX}presentationml.presentation"
CSV, TSV = "text/csv", "text/tab-separated-values"
PLAIN, MARKDOWN, HTML, JSON = "text/plain", "text/markdown", "text/html", "application/json"

OFFICE = frozenset({DOCX, XLSX, PPTX})
TEXTS = frozenset({CSV, TSV, PLAIN, MARKDOWN, HTML, JSON})
"""Documents that are one text, which no mark at the start tells apart."""
DOCUMENTS = frozenset({PDF}) | OFFICE | TEXTS
ZIP = "application/zip"
"""Type of an Office document before its end has passed, which tells which one it is."""

EXTENSIONS: Mapping[str, str] = {
    PDF: "pdf",
    DOCX: "docx",
    XLSX: "xlsx",
    PPTX: "pptx",
    CSV: "csv",
    TSV: "tsv",
    PLAIN: "txt",
    MARKDOWN: "md",
    HTML: "html",
    JSON: "json",
}
"""Extension of each type, as files are named here."""
NAMED: Mapping[str, str] = {
    **{extension: content_type for content_type, extension in EXTENSIONS.items()},
    "tab": TSV,
    "text": PLAIN,
    "log": PLAIN,
    "markdown": MARKDOWN,
    "htm": HTML,
}
"""Types by the extension of a file's name."""
ALIASES: Mapping[str, str] = {
    "application/x-pdf": PDF,
    "application/csv": CSV,
    "application/x-csv": CSV,
    "text/x-csv": CSV,
    "text/comma-separated-values": CSV,
    "text/x-comma-separated-values": CSV,
    "text/tsv": TSV,
    "text/x-tab-separated-values": TSV,
    "application/tab-separated-values": TSV,
    "text/x-markdown": MARKDOWN,
    "application/markdown": MARKDOWN,
    "application/x-markdown": MARKDOWN,
    "text/json": JSON,
    "application/x-json": JSON,
    "text/x-json": JSON,
}
STAND_INS: Mapping[str, frozenset[str]] = {
    PLAIN: TEXTS,
    "application/vnd.ms-excel": frozenset({CSV, TSV, XLSX}),
    "application/msword": frozenset({DOCX}),
    "application/vnd.ms-powerpoint": frozenset({PPTX}),
    ZIP: OFFICE,
    "application/x-zip": OFFICE,
    "application/x-zip-compressed": OFFICE,
}
"""Types that browsers and systems send for others, which the name of the file tells."""

PDF_MARK = b"%PDF-"
PDF_MARK_WITHIN = 1_024
"""Bytes at the start of a PDF in which its mark stands, by its readers' rule."""
ZIP_MARK = b"PK\x03\x04"


def type_of_name(file_name: str) -> str | None:
    """Return the type of a document by the extension of its name, None for any other name."""
    return NAMED.get(PurePosixPath(file_name.strip()).suffix[1:].lower())


def resolve_type(declared: str, file_name: str) -> str:
    """Return the declared type, or the one by the file's name that it stands in for."""
    named = type_of_name(file_name)
    return named if named is not None and named in STAND_INS.get(declared, ()) else declared


def find_document(head: bytes, text_type: str | None) -> str | None:
    """Return the type of a document by its start; `text_type` is the one of a text, if any.

    Texts may yet turn out to be none, and ZIP files no documents.
    """
    if PDF_MARK in head[:PDF_MARK_WITHIN]:
        return PDF
    if head.startswith(ZIP_MARK):
        return ZIP
    return text_type if text_type in TEXTS else None
