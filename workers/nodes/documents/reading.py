"""Reading of one document, in a child process."""

from collections.abc import Callable, Mapping

from engine.errors.nodes import NodeFailed
from engine.media.documents.types import (
    CSV,
    DOCX,
    HTML,
    JSON,
    MARKDOWN,
    PDF,
    PLAIN,
    PPTX,
    TSV,
    XLSX,
)
from engine.nodes.support.documents import MAX_CHARACTERS, DocumentOptions, DocumentText
from workers.nodes.documents.html.reading import read_html
from workers.nodes.documents.limits import unreadable
from workers.nodes.documents.office.docx import read_docx
from workers.nodes.documents.office.pptx import read_pptx
from workers.nodes.documents.office.xlsx import read_xlsx
from workers.nodes.documents.packing import PackedDocument, pack_document
from workers.nodes.documents.pdf.reading import read_pdf
from workers.nodes.documents.tabular import read_tabular
from workers.nodes.documents.texts import read_plain

PAGED: Mapping[str, Callable[[bytes, DocumentOptions], DocumentText]] = {
    PDF: read_pdf,
    DOCX: read_docx,
    XLSX: read_xlsx,
    PPTX: read_pptx,
}
TEXTS: Mapping[str, Callable[[str, bytes], DocumentText]] = {
    CSV: read_tabular,
    TSV: read_tabular,
    HTML: read_html,
    **dict.fromkeys((PLAIN, MARKDOWN, JSON), read_plain),
}


def read(content_type: str, data: bytes, options: DocumentOptions) -> DocumentText:
    """Return the contents of a document.

    Raises NodeFailed (document_unreadable) and MemoryError.
    """
    try:
        if content_type in PAGED:
            return _checked(PAGED[content_type](data, options))
        if content_type in TEXTS:
            return _checked(TEXTS[content_type](content_type, data))
    except (NodeFailed, MemoryError):
        raise
    except Exception as error:  # of a file that is as nobody has thought of
        raise unreadable("The document is broken: it cannot be read") from error
    raise unreadable(f"Files of the type {content_type} are not read here")


def read_packed(content_type: str, data: bytes, options: DocumentOptions) -> PackedDocument:
    """Like `read`, for another process."""
    return pack_document(read(content_type, data, options))


def _checked(contents: DocumentText) -> DocumentText:
    if sum(map(len, contents.pages)) > MAX_CHARACTERS:
        raise unreadable(f"The text of the document has more than {MAX_CHARACTERS:,} characters")
    return contents
