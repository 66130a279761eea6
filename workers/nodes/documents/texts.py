"""Files that are texts already."""

from engine.nodes.support.documents import DocumentText
from workers.nodes.documents.limits import unreadable


def decode(data: bytes) -> str:
    """Return the text of a file. Raises NodeFailed (document_unreadable)."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise unreadable("The file is not a text in UTF-8") from None
    if "\0" in text:
        raise unreadable("The file is not a text: it has a NUL")
    return text


def read_plain(content_type: str, data: bytes) -> DocumentText:
    """Return a text as it is. Raises NodeFailed (document_unreadable)."""
    return DocumentText(content_type=content_type, pages=(decode(data),))
