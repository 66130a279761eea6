"""Text and tables of a PDF by page."""

import re

import pypdfium2

from engine.errors.nodes import NodeFailed
from engine.media.documents.types import PDF
from engine.nodes.support.documents import DocumentOptions, DocumentText, Table
from workers.nodes.documents.limits import check_count, unreadable
from workers.nodes.documents.pdf.layout import PageLayout, UsualSize, lay_out
from workers.nodes.documents.pdf.rules import read_rules
from workers.nodes.documents.pdf.words import PageFrame, read_fields, read_words

PASSWORD = "password"  # noqa: S105
CATALOG = re.compile(rb"(\d{1,9})\s+0\s+obj\s*<<[^>]{0,300}?/Type\s*/Catalog\b")
END, END_WITHIN = b"%%EOF", 2_048
BODY_PAGES = 8
"""Pages at the start that tell the usual size of the font."""


def open_pdf(data: bytes, max_pages: int) -> pypdfium2.PdfDocument:
    """Open a PDF. Raises NodeFailed (document_unreadable)."""
    try:
        document = _open(data)
        count = len(document)
    except pypdfium2.PdfiumError as error:
        raise _unreadable(error) from None
    if not count:
        raise unreadable("The document is broken: it has no page")
    check_count(count, "pages", max_pages)
    return document


def _open(data: bytes) -> pypdfium2.PdfDocument:
    """Open a PDF; one without an end gets another, with which the library finds its objects."""
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        root = None if PASSWORD in str(error).lower() else CATALOG.search(data)
        if root is None:
            raise
        end = b"\ntrailer\n<< /Root %s 0 R >>\nstartxref\n0\n%%%%EOF\n" % root[1]
        return pypdfium2.PdfDocument(data + end)


def read_pdf(data: bytes, options: DocumentOptions) -> DocumentText:
    """Return the text of a PDF by page. Raises NodeFailed (document_unreadable)."""
    document = open_pdf(data, options.max_pages)
    pages: list[str] = []
    tables: list[Table] = []
    sizes = UsualSize()
    for number in range(len(document)):
        layout = _read_page(document, number, sizes)
        pages.append("\n\n".join(layout.blocks))
        tables += layout.tables
    if not any(pages) and END not in data[-END_WITHIN:]:
        raise unreadable("The document is broken: its end is missing")
    return DocumentText(content_type=PDF, pages=tuple(pages), tables=tuple(tables))


def _read_page(document: pypdfium2.PdfDocument, number: int, sizes: UsualSize) -> PageLayout:
    """Return the layout of a page."""
    try:
        page = document[number]
        text_page = page.get_textpage()
    except pypdfium2.PdfiumError:
        message = f"Page {number + 1} of the document is broken"
        raise unreadable(message) from None
    try:
        frame = PageFrame(page, text_page)
        words = [*read_words(text_page, frame), *read_fields(page, frame)]
        if number < BODY_PAGES:
            sizes.add(words)
        return lay_out(words, read_rules(page, frame), sizes.value)
    finally:
        text_page.close()
        page.close()


def _unreadable(error: Exception) -> NodeFailed:
    if PASSWORD in str(error).lower():
        return unreadable("The document is encrypted: it needs a password")
    return unreadable("The document is broken: it is no PDF that can be read")
