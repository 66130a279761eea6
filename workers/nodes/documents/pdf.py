"""Text of PDFs."""

import pypdfium2

from engine.errors.nodes import DOCUMENT_UNREADABLE, NodeFailed
from engine.nodes.support.documents import DocumentOptions, DocumentText
from workers.nodes.documents.types import PDF

PASSWORD = "password"  # noqa: S105


def read_pdf(data: bytes, options: DocumentOptions) -> DocumentText:
    """Return the text of a PDF by page. Raises NodeFailed (document_unreadable)."""
    try:
        document = pypdfium2.PdfDocument(data)
        count = len(document)
    except pypdfium2.PdfiumError as error:
        raise _unreadable(error) from None
    if count > options.max_pages:
        message = f"The document has {count} pages; at most {options.max_pages} are read"
        raise NodeFailed(DOCUMENT_UNREADABLE, message)
    pages = tuple(_read_page(document, number) for number in range(count))
    return DocumentText(content_type=PDF, pages=pages)


def _read_page(document: pypdfium2.PdfDocument, number: int) -> str:
    try:
        page = document[number]
        text = page.get_textpage()
        try:
            return str(text.get_text_bounded()).replace("\r\n", "\n").strip()
        finally:
            text.close()
            page.close()
    except pypdfium2.PdfiumError:
        message = f"Page {number + 1} of the document is broken"
        raise NodeFailed(DOCUMENT_UNREADABLE, message) from None


def _unreadable(error: Exception) -> NodeFailed:
    if PASSWORD in str(error).lower():
        return NodeFailed(DOCUMENT_UNREADABLE, "The document is encrypted: it needs a password")
    return NodeFailed(DOCUMENT_UNREADABLE, "The document is broken: it is no PDF that can be read")
