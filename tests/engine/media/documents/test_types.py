import pytest

from engine.media.documents.types import (
    CSV,
    DOCUMENTS,
    DOCX,
    EXTENSIONS,
    HTML,
    JSON,
    MARKDOWN,
    PDF,
    PLAIN,
    PPTX,
    TSV,
    XLSX,
    find_document,
    resolve_type,
    type_of_name,
)


def test_each_type_has_an_extension_that_leads_back_to_it() -> None:
    assert set(EXTENSIONS) == DOCUMENTS
    assert {each: type_of_name(f"a.{name}") for each, name in EXTENSIONS.items()} == {
        each: each for each in DOCUMENTS
    }


@pytest.mark.parametrize(
    ("file_name", "content_type"),
    [
        ("notes.MD", MARKDOWN),
        ("a.tar.csv ", CSV),
        ("C:\\files\\page.htm", HTML),
        ("größe.txt", PLAIN),
        ("notes", None),
        (".md", None),
        ("a.docm", None),
        ("", None),
    ],
)
def test_a_name_tells_a_type_by_its_extension(file_name: str, content_type: str | None) -> None:
    assert type_of_name(file_name) == content_type


@pytest.mark.parametrize(
    ("declared", "file_name", "content_type"),
    [
        ("application/vnd.ms-excel", "a.csv", CSV),  # Windows with Excel
        ("application/vnd.ms-excel", "a.xlsx", XLSX),
        ("application/vnd.ms-excel", "a.xls", "application/vnd.ms-excel"),
        ("text/plain", "a.md", MARKDOWN),
        ("text/plain", "a.tsv", TSV),
        ("text/plain", "a.json", JSON),
        ("text/plain", "a.pdf", PLAIN),
        ("text/plain", "a.docx", PLAIN),
        ("text/html", "a.md", HTML),
        ("text/csv", "a.txt", CSV),
        ("application/zip", "a.docx", DOCX),
        ("application/x-zip-compressed", "a.pptx", PPTX),
        ("application/zip", "a.zip", "application/zip"),
        ("application/msword", "a.docx", DOCX),
        ("image/png", "a.csv", "image/png"),
    ],
)
def test_a_type_stands_in_for_another_one_where_the_name_says_so(
    declared: str, file_name: str, content_type: str
) -> None:
    assert resolve_type(declared, file_name) == content_type


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        (b"%PDF-1.7", PDF),
        (b"x" * 1_019 + b"%PDF-1.7", PDF),
        (b"x" * 1_020 + b"%PDF-1.7", None),
        (b"PK\x03\x04", "application/zip"),
        (b"MZ PK\x03\x04", None),
        (b"PK\x05\x06", None),
    ],
)
def test_a_document_is_known_by_its_mark(head: bytes, content_type: str | None) -> None:
    assert find_document(head, None) == content_type
    assert find_document(head, CSV) == (content_type or CSV)
    assert find_document(head, "image/png") == content_type
