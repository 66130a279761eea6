"""Files that are texts already."""

from engine.errors.nodes import DOCUMENT_UNREADABLE, NodeFailed
from engine.nodes.support.documents import DocumentText


def decode(data: bytes) -> str:
    """Return the text of a file. Raises NodeFailed (document_unreadable)."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NodeFailed(DOCUMENT_UNREADABLE, "The file is not a text in UTF-8") from None
    if "\0" in text:
        raise NodeFailed(DOCUMENT_UNREADABLE, "The file is not a text: it has a NUL")
    return text


def read_plain(content_type: str, data: bytes) -> DocumentText:
    """Return a text as it is. Raises NodeFailed (document_unreadable)."""
    return DocumentText(content_type=content_type, pages=(decode(data),))
