"""Contents of a document on the way from its child process, unpacked part by part.

Two million cells at once would hold the event loop for a second.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from engine.nodes.support.documents import DocumentText, Table

PART_CELLS = 20_000
"""About as many cells are unpacked at a time."""
CELLS_OF_ROW = 4
"""An empty row takes as long as so many cells."""

Rows = list[tuple[int, Table]]
"""Rows, each with the number of its table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedDocument:
    """A document whose tables are packed in parts."""

    bare: DocumentText
    """The document without its tables."""
    count: int
    """Number of tables."""
    parts: tuple[bytes, ...]


def pack_document(document: DocumentText) -> PackedDocument:
    """Return the document, packed."""
    parts = tuple(map(msgspec.msgpack.encode, _parts(document.tables)))
    return PackedDocument(
        bare=replace(document, tables=()), count=len(document.tables), parts=parts
    )


async def unpack_document(packed: PackedDocument) -> DocumentText:
    """Return the document; others go on in between."""
    tables: list[Table] = [[] for _ in range(packed.count)]
    for part in packed.parts:
        for number, rows in msgspec.msgpack.decode(part):
            tables[number] += rows
        await asyncio.sleep(0)
    return replace(packed.bare, tables=tuple(tables))


def _parts(tables: Sequence[Table]) -> Iterator[Rows]:
    part: Rows = []
    cells = 0
    for number, table in enumerate(tables):
        part.append((number, []))
        for row in table:
            part[-1][1].append(row)
            cells += len(row) + CELLS_OF_ROW
            if cells >= PART_CELLS:
                yield part
                part, cells = [(number, [])], 0
    yield part
