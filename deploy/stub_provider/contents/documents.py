"""Text of PDFs that a call sends, by which answers follow from them as from prompts."""

import base64
from typing import Any

from deploy.stub_provider.errors import StubRefused
from engine.media.documents.types import PDF, find_document

PAGE_TOKENS = 258
"""Tokens of the picture of a page, beside those of its text."""
MAX_PAGES = 100
NO_PDF = "(stub) The document is no PDF, has a password or is broken."


class StubDocument:
    """PDF of a call: its text, and the tokens that it counts as."""

    def __init__(self, data: Any, where: str) -> None:
        """Read base64. Raises StubRefused (400)."""
        try:
            raw = base64.b64decode(data, validate=True) if isinstance(data, str) else b""
        except ValueError:
            raw = b""
        if not raw:
            raise StubRefused(400, "(stub) The document is not base64.", param=where)
        if find_document(raw, None) != PDF:
            raise StubRefused(400, NO_PDF, param=where)
        pages = _read_pages(raw, where)
        self.text = "\n".join(pages)
        self.page_tokens = PAGE_TOKENS * len(pages)


def _read_pages(data: bytes, where: str) -> list[str]:
    import pypdfium2  # a library of 8 MB that most calls never need

    try:
        with pypdfium2.PdfDocument(data) as document:
            if len(document) > MAX_PAGES:
                reason = f"(stub) A document has at most {MAX_PAGES} pages."
                raise StubRefused(400, reason, param=where)
            return [_text_of(page) for page in document]
    except pypdfium2.PdfiumError:
        raise StubRefused(400, NO_PDF, param=where) from None


def _text_of(page: Any) -> str:
    text: str = page.get_textpage().get_text_bounded()
    return text.replace("\r\n", "\n")
