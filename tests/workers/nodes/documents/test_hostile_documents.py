"""Hostile documents: each is a harmless text or fails in a sentence, and the worker lives."""

from collections.abc import AsyncIterator, Iterator

import pytest

from engine.errors.nodes import DOCUMENT_UNREADABLE, NodeFailed
from engine.nodes.support.documents import DocumentOptions, DocumentText
from engine.values.plain import fault
from tests.support.documents.hostile.corpus import HostileDocument, every_document
from tests.support.http.target import Stub, stub_server
from tests.support.process.peak_memory import peak_megabytes
from workers.nodes.documents import DocumentPool

pytestmark = pytest.mark.A101b

SECONDS = 10.0
MOST_CHARACTERS = 256 * 1024 * 1024
MOST_GROWTH = 400
"""Megabytes that a worker grows by at most: the file, its copy for the child, and the text."""
SAMPLE = {
    "docx: a main part of a gigabyte",
    "docx: entries that share bytes",
    "docx: an entity elsewhere",
    "docx: parts elsewhere",
    "xlsx: entities of entities",
    "xlsx: one cell in a sheet that claims all cells",
    "pptx: half of a file",
    "pdf: a page tree that leads back",
    "pdf: content of a gigabyte",
    "pdf: scripts, programs and links",
    "html: parts elsewhere",
    "csv: formulas",
}
"""Documents of the default run: one of each way to harm."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def pool(anyio_backend: str) -> AsyncIterator[DocumentPool]:
    pool = DocumentPool()
    yield pool
    await pool.close()


@pytest.fixture(scope="module")
def nobody() -> Iterator[Stub]:
    """Run a server that no document may call."""
    with stub_server() as server:
        yield server


def documents() -> Iterator[object]:
    for each in every_document():
        marks = () if str(each) in SAMPLE else pytest.mark.thorough
        yield pytest.param(each, id=str(each), marks=marks)


def test_each_document_has_a_name_of_its_own_and_the_sample_is_of_them() -> None:
    names = [str(each) for each in every_document()]

    assert len(names) == len(set(names)) >= 60
    assert set(names) >= SAMPLE


async def outcome(pool: DocumentPool, content_type: str, data: bytes) -> DocumentText | NodeFailed:
    try:
        return await pool.read(content_type, data, DocumentOptions(), seconds=SECONDS)
    except NodeFailed as failure:
        return failure


@pytest.mark.parametrize("document", list(documents()))
async def test_a_hostile_document_is_a_text_or_unreadable_and_calls_nobody(
    document: HostileDocument, pool: DocumentPool, nobody: Stub
) -> None:
    data, before = document.make(nobody.url), peak_megabytes()

    found = await outcome(pool, document.content_type, data)
    after = await outcome(pool, "text/plain", b"The next one")

    if isinstance(found, NodeFailed):
        assert (found.code, found.retryable) == (DOCUMENT_UNREADABLE, False)
        assert len(found.message) < 300
    else:
        assert sum(map(len, found.pages)) <= MOST_CHARACTERS
        assert fault([*found.pages, *found.tables]) is None
        assert "root:" not in found.text
    assert isinstance(after, DocumentText) and after.text == "The next one"
    assert nobody.requests == []
    assert peak_megabytes() - before <= MOST_GROWTH + len(data) // 2**20
