"""Script of a child process: reads a PDF from stdin, writes a WebP of a page to stdout."""

import io
import sys

import pypdfium2

from engine.media.pictures.children import NO_PAGE
from engine.media.pictures.thumbnail_script import QUALITY, limit_resources

MAX_RATIO = 4
"""Largest height of a picture, in widths."""


def draw(data: bytes, width: int, number: int) -> bytes | None:
    """Return a page with at most this width as WebP; None: there is no such page."""
    document = pypdfium2.PdfDocument(data)
    if number > len(document):
        return None
    page = document[number - 1]
    wide, high = page.get_size()
    scale = min(width / wide, MAX_RATIO * width / high)
    picture = page.render(scale=scale, limit_image_cache=True).to_pil().convert("RGB")
    picture.thumbnail((width, MAX_RATIO * width))
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=QUALITY)
    return out.getvalue()


def main() -> None:
    """Draw a page of the PDF on stdin, within limits of memory and CPU time."""
    limit_resources()
    picture = draw(sys.stdin.buffer.read(), int(sys.argv[1]), int(sys.argv[2]))
    if picture is None:
        sys.exit(NO_PAGE)
    sys.stdout.buffer.write(picture)


if __name__ == "__main__":
    main()
