"""Pictures of pages of hostile PDFs: each is a small picture or none, and calls nobody."""

import io

import pytest
from PIL import Image

from engine.media.formats import UnfitMedia
from engine.media.pictures.children import make_page
from tests.support.documents.hostile.pdfs import PDFS
from tests.support.http.target import stub_server
from tests.support.process.peak_memory import peak_megabytes

pytestmark = pytest.mark.A101c

WIDTH = 256
MOST_GROWTH = 100
"""Megabytes that the caller grows by at most, beside the file."""
SAMPLE = {
    "a page tree that leads back",
    "content of a gigabyte",
    "a page of a thousand kilometres",
    "a picture of ten gigapixels",
    "scripts, programs and links",
}
"""PDFs of the default run."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in SAMPLE else pytest.mark.thorough) for n in PDFS],
)
async def test_a_page_of_a_hostile_pdf_is_a_small_picture_or_none(name: str) -> None:
    with stub_server() as nobody:
        data, before = PDFS[name](nobody.url), peak_megabytes()
        try:
            picture = await make_page(data, WIDTH, 1)
        except UnfitMedia as error:
            assert len(str(error)) < 100
        else:
            width, height = Image.open(io.BytesIO(picture)).size
            assert width <= WIDTH and height <= 4 * WIDTH
            assert len(picture) < 200_000
        called = nobody.requests

    assert called == []
    assert peak_megabytes() - before <= MOST_GROWTH + len(data) // 2**20
