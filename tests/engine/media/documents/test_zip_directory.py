import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.media.documents.types import DOCX, PPTX, XLSX
from engine.media.documents.zip_directory import TAIL_BYTES, OfficeFollower, PdfFollower
from engine.media.formats import UnfitMedia
from tests.support.documents.samples import MAIN_PARTS, TYPES_PART, archive, office, pdf
from tests.support.documents.small_pdf import pdf_of
from tests.support.process.cpu_time import cpu_limit

MAIN = MAIN_PARTS[DOCX]
WHOLE = office(DOCX)
END = WHOLE.rindex(b"PK\x05\x06")


def changed(at: int, value: bytes) -> bytes:
    """Return a document with other bytes in the record at its end."""
    return WHOLE[: END + at] + value + WHOLE[END + at + len(value) :]


def verdict(data: bytes, size: int = 65_536) -> str | None:
    """Return the type of a ZIP file that comes in pieces of `size`; None: it is refused."""
    follower = OfficeFollower()
    try:
        for start in range(0, len(data), size):
            follower.feed(data[start : start + size])
        return follower.finish().content_type
    except UnfitMedia:
        return None


TAKEN = {
    "docx": (WHOLE, DOCX),
    "xlsx": (office(XLSX), XLSX),
    "pptx": (office(PPTX), PPTX),
    "folders first": (office(DOCX, folders=["word/", "_rels/"]), DOCX),
    "types last": (archive([MAIN, "docProps/app.xml", TYPES_PART]), DOCX),
    "names in capitals": (archive(["[content_types].XML", "Word/Document.xml"]), DOCX),
    "a comment": (office(DOCX, comment=b"c" * 65_535), DOCX),
    "ZIP64": (office(PPTX, is_large=True), PPTX),
    "ZIP64 with a comment": (office(XLSX, is_large=True, comment=b"by hand"), XLSX),
    "a workbook within": (office(PPTX, "ppt/embeddings/sheet1.xlsx"), PPTX),
    "many parts": (office(PPTX, *(f"ppt/slides/slide{n}.xml" for n in range(3_000))), PPTX),
}
REFUSED = {
    "macros": office(DOCX, "word/vbaProject.bin"),
    "macros in capitals": office(XLSX, "xl/VBAPROJECT.BIN"),
    "sheets of macros": office(XLSX, "xl/macrosheets/sheet1.xml"),
    "a binary workbook": archive([TYPES_PART, "xl/workbook.bin"]),
    "any other ZIP": archive(["a.txt"]),
    "OpenDocument": archive(["mimetype", "content.xml", "META-INF/manifest.xml"]),
    "a program": archive(["META-INF/MANIFEST.MF", "word/Main.class"]),
    "no types": archive([MAIN]),
    "no part": archive([TYPES_PART]),
    "two documents": archive([TYPES_PART, MAIN, MAIN_PARTS[XLSX]]),
    "parts further down": archive([TYPES_PART, "a/word/document.xml"]),
    "an empty ZIP": archive([]),
    "cut": WHOLE[:-1],
    "cut before the end": WHOLE[:END],
    "cut in the directory": WHOLE[: END - 40] + WHOLE[END:],
    "bytes behind": WHOLE + b"x",
    "bytes before": b"#!/bin/sh\n" + WHOLE,
    "another disk": changed(4, b"\1\0"),
    "more entries than there are": changed(10, b"\x63\0"),
    "fewer entries than there are": changed(10, b"\1\0"),
    "a directory too long": changed(12, b"\xff\xff\xff\x7f"),
    "a directory elsewhere": changed(16, b"\0\0\0\0"),
    "ZIP64 without its records": changed(16, b"\xff\xff\xff\xff"),
    "a damaged entry": WHOLE.replace(b"PK\x01\x02", b"PK\x01\x03", 1),
    "a directory in a comment": archive(["a.txt"], comment=WHOLE),
    "a directory of two megabytes": office(DOCX, *("x" * 60_000 + str(n) for n in range(35))),
    "nothing": b"",
}


@pytest.mark.parametrize("size", [1, 100, 65_536])
@pytest.mark.parametrize("name", TAKEN)
def test_a_document_is_known_by_the_directory_at_its_end(name: str, size: int) -> None:
    data, content_type = TAKEN[name]

    assert verdict(data, size) == content_type


@pytest.mark.parametrize("size", [997, 65_536])
@pytest.mark.parametrize("name", REFUSED)
def test_any_other_zip_is_refused(name: str, size: int) -> None:
    assert verdict(REFUSED[name], size) is None


def test_a_large_document_is_known_by_a_bounded_tail() -> None:
    follower, piece = OfficeFollower(), bytes(262_144)
    parts = {TYPES_PART: b"<Types/>", MAIN: b"<w/>"}
    data = archive({**parts, "word/media/film.bin": random.Random(3).randbytes(9_000_000)})
    tracemalloc.start()

    for start in range(0, len(data), len(piece)):
        follower.feed(data[start : start + len(piece)])

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert follower.finish().content_type == DOCX
    assert peak < 4 * TAIL_BYTES


def test_bytes_of_marks_take_next_to_no_time() -> None:
    with cpu_limit(0.5):
        assert verdict(b"PK\x03\x04" + b"PK\x05\x06" * 1_000_000) is None
        assert verdict(b"PK\x03\x04" + b"PK\x01\x02" * 1_000_000) is None


@given(st.data(), st.integers(1, 400))
def test_pieces_of_any_size_give_the_verdict_of_the_whole(data: st.DataObject, size: int) -> None:
    whole = bytearray(data.draw(st.sampled_from([WHOLE, TAKEN["ZIP64 with a comment"][0]])))
    places = st.integers(0, len(whole) - 1)
    for at, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=4)):
        whole[at] = value
    cut = bytes(whole[: data.draw(st.integers(len(whole) - 30, len(whole)))])

    assert verdict(cut, size) == verdict(cut, len(cut))


def is_pdf_alone(data: bytes, size: int = 65_536) -> bool:
    follower = PdfFollower()
    for start in range(0, len(data), size):
        follower.feed(data[start : start + size])
    try:
        follower.finish()
    except UnfitMedia:
        return False
    return True


@pytest.mark.parametrize("size", [1, 100, 65_536])
def test_a_pdf_is_no_zip_file_at_once(size: int) -> None:
    attached = pdf_of([WHOLE])

    assert is_pdf_alone(pdf(), size)
    assert is_pdf_alone(attached, size)
    assert not is_pdf_alone(pdf(after=WHOLE), size)
    assert not is_pdf_alone(pdf(after=archive([])), size)
