"""Tables of documents on the way from a child process, part by part."""

import asyncio

import msgspec
import pytest

from engine.nodes.support.documents import DocumentText, Table
from workers.nodes.documents import packing
from workers.nodes.documents.packing import pack_document, unpack_document

NARROW: Table = [[f"{row}"] for row in range(500)]
WIDE: Table = [[row, None, "x", 0.5] for row in range(300)]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "PART_CELLS", 100)


@pytest.mark.parametrize(
    "tables", [(), ([],), (WIDE,), (NARROW, [], WIDE), ([["a"]],) * 200], ids=len
)
async def test_a_document_is_the_same_after_it_was_packed(tables: tuple[Table, ...]) -> None:
    document = DocumentText(content_type="text/csv", pages=("a", "b"), tables=tables)

    assert await unpack_document(pack_document(document)) == document


async def test_others_go_on_between_the_parts_of_large_tables() -> None:
    packed = pack_document(DocumentText(content_type="x", pages=(), tables=(NARROW, WIDE)))
    parts = map(msgspec.msgpack.decode, packed.parts)
    rows = [sum(len(found) for _, found in part) for part in parts]
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await unpack_document(packed)
    counting.cancel()

    assert (sum(rows), max(rows)) == (800, 20)
    assert turns >= len(packed.parts) > 30
