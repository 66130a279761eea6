"""Reading of one document, in a child process."""

from collections.abc import Callable, Mapping

from engine.errors.nodes import DOCUMENT_UNREADABLE, NodeFailed
from engine.nodes.support.documents import DocumentOptions, DocumentText
from workers.nodes.documents.pdf.reading import read_pdf
from workers.nodes.documents.texts import read_plain
from workers.nodes.documents.types import CSV, HTML, JSON, MARKDOWN, PDF, PLAIN, TSV

Reader = Callable[[bytes, DocumentOptions], DocumentText]

READERS: Mapping[str, Reader] = {PDF: read_pdf}
TEXTS = frozenset({PLAIN, MARKDOWN, JSON, HTML, CSV, TSV})


def read(content_type: str, data: bytes, options: DocumentOptions) -> DocumentText:
    """Return the contents of a document.

    Raises NodeFailed (document_unreadable) and MemoryError.
    """
    if content_type in TEXTS:
        return read_plain(content_type, data)
    reader = READERS.get(content_type)
    if reader is None:
        raise NodeFailed(DOCUMENT_UNREADABLE, f"Files of the type {content_type} are not read here")
    return reader(data, options)
