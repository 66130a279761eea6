"""Pictures of the pages of a PDF."""

import io
from collections.abc import Sequence

import pypdfium2

from engine.media.formats import MAX_PIXELS
from engine.nodes.support.documents import MAX_PAGES
from engine.nodes.support.image_edits import READ_SIDE
from workers.nodes.documents.limits import unreadable
from workers.nodes.documents.pdf.reading import open_pdf

MAX_SCALE = 4.0
QUALITY = 85


def draw_pages(data: bytes, numbers: Sequence[int]) -> list[bytes]:
    """Return pages as JPEGs, in which a local model finds texts; a bare page has no bytes.

    Raises NodeFailed (document_unreadable).
    """
    document = open_pdf(data, MAX_PAGES)
    return [_draw(document, number) for number in numbers]


def _draw(document: pypdfium2.PdfDocument, number: int) -> bytes:
    try:
        page = document[number]
        if not next(iter(page.get_objects(max_depth=1)), None):
            return b""
        width, height = page.get_size()
        scale = min(MAX_SCALE, READ_SIDE / max(width, height, 1.0))
        if width * height * scale * scale > MAX_PIXELS:
            return b""
        image = page.render(scale=scale).to_pil().convert("RGB")
    except pypdfium2.PdfiumError:
        raise unreadable(f"Page {number + 1} of the document is broken") from None
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
