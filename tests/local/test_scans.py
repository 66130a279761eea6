"""Scans that the real model reads, page by page: `make local`."""

import pytest

from engine.nodes.support.documents import DocumentOptions
from tests.support.documents.corpus.measures import measure
from tests.support.documents.corpus.pdfs import every_pdf
from workers.nodes.documents import DocumentPool
from workers.nodes.documents.pictures import read_pictures
from workers.nodes.local_models import LocalPool

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SECONDS = 120.0


async def test_the_pages_of_a_scan_have_their_words() -> None:
    documents, models = DocumentPool(), LocalPool()
    for scan in (each for each in every_pdf() if each.is_scanned):
        data = scan.make()
        contents = await documents.read(scan.content_type, data, DocumentOptions(), seconds=SECONDS)

        found = await read_pictures(
            contents,
            lambda numbers, data=data: documents.draw(data, numbers, seconds=SECONDS),
            lambda picture: models.read_image(picture, SECONDS),
            SECONDS,
        )

        shares = measure(scan.text, (), found.text, ())
        assert len(found.pages) == scan.pages
        assert shares.recall is not None and shares.recall > 0.95
        assert shares.order is not None and shares.order > 0.95
    await documents.close()
    await models.close()
