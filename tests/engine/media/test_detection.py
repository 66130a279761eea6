"""Types of whole files, by content, declared type and name."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.media.documents.types import CSV, DOCX, EXTENSIONS, MARKDOWN, PDF, PLAIN, TEXTS, XLSX
from engine.media.formats import UNTYPED, UnfitMedia
from tests.support.documents.samples import archive, office, pdf, samples
from tests.support.media import files
from tests.support.media.inspections import find_type

SAMPLES = samples()
CONTRADICTED = {
    "pdf as docx": (SAMPLES[PDF], DOCX, ""),
    "docx as pdf": (SAMPLES[DOCX], PDF, ""),
    "docx as xlsx": (SAMPLES[DOCX], XLSX, ""),
    "docx as a picture": (SAMPLES[DOCX], "image/png", ""),
    "docx as text": (SAMPLES[DOCX], PLAIN, ""),
    "pdf as text": (SAMPLES[PDF], PLAIN, "a.txt"),
    "pdf as text by a late mark": (pdf(before=b"x" * 900), CSV, ""),
    "picture as pdf": (files.png(), PDF, "a.pdf"),
    "picture as text": (files.png(), PLAIN, ""),
    "sound as json": (files.wav(), "application/json", ""),
    "text as pdf": (SAMPLES[PLAIN], PDF, ""),
    "text as docx": (SAMPLES[PLAIN], DOCX, "a.docx"),
    "text as a picture": (SAMPLES[PLAIN], "image/png", "a.txt"),
    "text without type or name": (SAMPLES[PLAIN], UNTYPED, ""),
    "text by the name of a pdf": (SAMPLES[PLAIN], UNTYPED, "a.pdf"),
    "text of two bytes a letter": ("text".encode("utf-16"), PLAIN, "a.txt"),
    "text with a late NUL": (b"x" * 400_000 + b"\0", CSV, ""),
    "text with a late byte": (b"x" * 400_000 + b"\xff", UNTYPED, "a.md"),
    "text of nothing": (b"", PLAIN, "a.txt"),
    "pdf and zip": (pdf(after=SAMPLES[DOCX]), PDF, ""),
    "zip with a stored pdf": (archive({"a.pdf": pdf()}), UNTYPED, ""),
    "word of old": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "application/msword", ""),
    "encrypted docx": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), DOCX, "a.docx"),
    "docm": (
        office(DOCX, "word/vbaProject.bin"),
        "application/vnd.ms-word.document.macroEnabled.12",
        "a.docm",
    ),
    "docm as docx": (office(DOCX, "word/vbaProject.bin"), DOCX, "a.docx"),
    "zip by the name of a docx": (archive(["a.txt"]), "application/zip", "a.docx"),
    "svg": (b"<svg/>", "image/svg+xml", "a.svg"),
    "script": (b"alert(1)", "text/javascript", "a.js"),
}


@pytest.mark.parametrize("size", [7, 65_536])
@pytest.mark.parametrize("content_type", SAMPLES)
async def test_a_document_has_the_type_that_it_is_declared_as(content_type: str, size: int) -> None:
    data = SAMPLES[content_type]

    assert await find_type(data, content_type, size=size) == content_type


@pytest.mark.parametrize("content_type", SAMPLES)
async def test_a_document_without_a_type_has_that_of_its_content_or_name(content_type: str) -> None:
    data, file_name = SAMPLES[content_type], f"x.{EXTENSIONS[content_type]}"

    assert await find_type(data, file_name=file_name) == content_type
    if content_type not in TEXTS:
        assert await find_type(data) == content_type
        assert await find_type(data, file_name="x.csv") == content_type


@pytest.mark.parametrize("size", [100, 65_536])
@pytest.mark.parametrize("name", CONTRADICTED)
async def test_a_file_whose_content_contradicts_its_type_is_refused(name: str, size: int) -> None:
    data, declared, file_name = CONTRADICTED[name]

    with pytest.raises(UnfitMedia):
        await find_type(data, declared, file_name=file_name, size=size)


@pytest.mark.parametrize("file_name", ["", "notes", "notes.pdf"])
async def test_a_text_without_a_type_is_refused_with_what_would_tell_it(file_name: str) -> None:
    with pytest.raises(UnfitMedia, match=r"declare its type, or name it \.txt"):
        await find_type(b"The shop opens at nine.", file_name=file_name)


async def test_what_is_not_as_it_is_declared_is_refused_with_that_type() -> None:
    with pytest.raises(UnfitMedia, match=f"^The file is not {PDF} as it is declared$"):
        await find_type(b"The shop opens at nine.", PDF, file_name="a.pdf")


@pytest.mark.parametrize("before", [b"", b"\n", b"\xef\xbb\xbf", b"HTTP/1.1 200 OK\r\n" * 50])
async def test_a_pdf_may_have_bytes_before_its_mark(before: bytes) -> None:
    assert await find_type(pdf(before=before), PDF) == PDF
    assert await find_type(pdf(before=before)) == PDF


async def test_a_text_may_begin_as_a_medium_does() -> None:
    for start in ("ID3 tags", "The ftyp box", "GIF89a", "RIFF1234WAVE"):
        text = f"{start} is explained here".encode()
        assert await find_type(text, MARKDOWN) == MARKDOWN
        assert await find_type(text, file_name="a.md") == MARKDOWN


async def test_a_picture_is_a_picture_whatever_its_name(name: str = "a.txt") -> None:
    assert await find_type(files.png(), file_name=name) == "image/png"


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(SAMPLES)),
    st.sampled_from([*sorted(SAMPLES), UNTYPED]),
    st.sampled_from(["", "a.txt", "a.docx"]),
    st.integers(1, 5_000),
)
async def test_pieces_of_any_size_give_the_verdict_of_the_whole(
    sample: str, declared: str, file_name: str, size: int
) -> None:
    async def verdict(pieces: int) -> str | None:
        try:
            data = SAMPLES[sample]
            return await find_type(data, declared, file_name=file_name, size=pieces)
        except UnfitMedia:
            return None

    assert await verdict(size) == await verdict(10_000_000)
