"""Directory at the end of a streamed ZIP file, by which Office documents are known."""

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from engine.media.documents.types import DOCX, PPTX, XLSX
from engine.media.formats import UnfitMedia
from engine.media.stream_follower import HeaderMetadata

END = struct.Struct("<4s4H2LH")
END_MARK = b"PK\x05\x06"
MAX_COMMENT = 65_535
LARGE_END = struct.Struct("<4sQ2H2L4Q")
LARGE_END_MARK = b"PK\x06\x06"
LOCATOR = struct.Struct("<4sLQL")
LOCATOR_MARK = b"PK\x06\x07"
ENTRY = struct.Struct("<4s6H3L5H2L")
ENTRY_MARK = b"PK\x01\x02"
UNKNOWN_16, UNKNOWN_32 = 0xFFFF, 0xFFFFFFFF
"""Values in the place of those that ZIP64 records have."""
MAX_DIRECTORY = 1_048_576
"""Bytes of the longest directory that is read; it has some ten thousand entries."""
TAIL_BYTES = MAX_DIRECTORY + LARGE_END.size + LOCATOR.size + END.size + MAX_COMMENT
CONTENT_TYPES = "[content_types].xml"
PARTS = {"word/": DOCX, "xl/": XLSX, "ppt/": PPTX}
"""Folders of the parts of Office documents."""
MACROS = ("vbaproject.bin", "vbadata.xml")
MACRO_SHEETS = "xl/macrosheets/"
BINARY_WORKBOOK = "xl/workbook.bin"
BROKEN = "The ZIP file of the document is broken or not whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipDirectory:
    """Place of a ZIP file's directory, in bytes from the start of the file."""

    start: int
    size: int
    count: int
    end: int
    """Place of the record behind the directory."""


class Tail:
    """The last bytes of a stream, of which it keeps at most twice `size`."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._data = bytearray()
        self.length = 0
        """Bytes of the whole stream."""

    def feed(self, piece: bytes) -> None:
        """Add bytes to the end."""
        self._data += piece
        self.length += len(piece)
        if len(self._data) > 2 * self._size:
            del self._data[: -self._size]

    @property
    def start(self) -> int:
        """Place of the first byte that is kept, in the stream."""
        return self.length - len(self._data)

    def read(self, start: int, size: int) -> bytes:
        """Return bytes from a place in the stream. Raises UnfitMedia if they are not kept."""
        at = start - self.start
        if at < 0 or at + size > len(self._data):
            raise UnfitMedia(BROKEN)
        return bytes(self._data[at : at + size])

    def rfind(self, mark: bytes, within: int) -> int:
        """Return the place of the last `mark` in the last bytes of the stream, or -1."""
        at = self._data.rfind(mark, max(0, len(self._data) - within))
        return at if at < 0 else at + self.start


class OfficeFollower:
    """Tells the type of an Office document from the directory of its ZIP file."""

    def __init__(self) -> None:
        self._tail = Tail(TAIL_BYTES)

    def feed(self, piece: bytes) -> None:
        """Feed the next bytes."""
        self._tail.feed(piece)

    def finish(self) -> HeaderMetadata:
        """Return the type. Raises UnfitMedia for any other ZIP file."""
        end = find_end(self._tail)
        if end is None:
            raise UnfitMedia(BROKEN)
        directory = _read_end(self._tail, end)
        if directory.size > MAX_DIRECTORY:
            raise UnfitMedia("The document has too many parts")
        if directory.start + directory.size != directory.end:
            raise UnfitMedia(BROKEN)
        names = list(_read_names(self._tail.read(directory.start, directory.size)))
        if len(names) != directory.count:
            raise UnfitMedia(BROKEN)
        return HeaderMetadata(content_type=office_type(names))


class PdfFollower:
    """Watches that a PDF is no ZIP file for readers that begin at the end."""

    def __init__(self) -> None:
        self._tail = Tail(END.size + MAX_COMMENT)

    def feed(self, piece: bytes) -> None:
        """Feed the next bytes."""
        self._tail.feed(piece)

    def finish(self) -> None:
        """Raise UnfitMedia if the file ends as a ZIP file does."""
        if find_end(self._tail) is not None:
            raise UnfitMedia("The file is a PDF and a ZIP file at once")


def find_end(tail: Tail) -> int | None:
    """Return the place of the record that ends a ZIP file, whose comment ends the stream."""
    within = END.size + MAX_COMMENT
    at = tail.rfind(END_MARK, within)
    if at < 0 or at + END.size > tail.length:
        return None
    comment: int = END.unpack(tail.read(at, END.size))[-1]
    return at if at + END.size + comment == tail.length else None


def office_type(names: Collection[str]) -> str:
    """Return the type of an Office document by the names of its parts. Raises UnfitMedia."""
    parts = {name.lower() for name in names}
    if any(name.endswith(MACROS) or name.startswith(MACRO_SHEETS) for name in parts):
        raise UnfitMedia("Documents with macros are not taken")
    if BINARY_WORKBOOK in parts:
        raise UnfitMedia("Binary workbooks are not taken")
    found = {
        kind for folder, kind in PARTS.items() if any(name.startswith(folder) for name in parts)
    }
    if CONTENT_TYPES not in parts or len(found) != 1:
        raise UnfitMedia("The ZIP file is none of the documents that are taken")
    return found.pop()


def _read_end(tail: Tail, at: int) -> ZipDirectory:
    """Return the place of the directory by the record that ends the file. Raises UnfitMedia."""
    _, disk, first_disk, _, count, size, start, _ = END.unpack(tail.read(at, END.size))
    if UNKNOWN_16 in (disk, first_disk, count) or UNKNOWN_32 in (size, start):
        return _read_large_end(tail, at - LOCATOR.size)
    if disk or first_disk:
        raise UnfitMedia(BROKEN)
    return ZipDirectory(start=start, size=size, count=count, end=at)


def _read_large_end(tail: Tail, at: int) -> ZipDirectory:
    """Return the same by the records of ZIP64, of which the locator is at `at`."""
    mark, disk, end, _ = LOCATOR.unpack(tail.read(at, LOCATOR.size))
    if mark != LOCATOR_MARK or disk or end != at - LARGE_END.size:
        raise UnfitMedia(BROKEN)
    mark, *_, count, size, start = LARGE_END.unpack(tail.read(end, LARGE_END.size))
    if mark != LARGE_END_MARK:
        raise UnfitMedia(BROKEN)
    return ZipDirectory(start=start, size=size, count=count, end=end)


def _read_names(data: bytes) -> Iterator[str]:
    """Yield the names of a directory's entries. Raises UnfitMedia."""
    at = 0
    while at < len(data):
        if at + ENTRY.size > len(data):
            raise UnfitMedia(BROKEN)
        mark, *_, name, extra, comment, _, _, _, _ = ENTRY.unpack_from(data, at)
        at += ENTRY.size
        if mark != ENTRY_MARK or at + name + extra + comment > len(data):
            raise UnfitMedia(BROKEN)
        yield data[at : at + name].decode("latin-1")
        at += name + extra + comment
