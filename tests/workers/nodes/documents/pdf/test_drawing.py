"""Pictures of pages."""

import io

import pytest
from PIL import Image

from engine.errors.nodes import NodeFailed
from tests.support.documents.small_pdf import small_pdf
from workers.nodes.documents.pdf.drawing import draw_pages


def test_pages_are_drawn_as_large_as_texts_are_read() -> None:
    (second,) = draw_pages(small_pdf("First", "Second"), [1])

    image = Image.open(io.BytesIO(second))
    assert image.format == "JPEG"
    assert max(image.size) == 2_000
    darkest, _ = image.convert("L").getextrema()
    assert darkest < 50


def test_a_broken_file_is_no_picture() -> None:
    with pytest.raises(NodeFailed, match="broken"):
        draw_pages(b"%PDF-1.7", [0])
