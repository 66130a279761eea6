import pytest

from deploy.client.assets.content_types import content_type_of, ending_of
from engine.media.documents.types import DOCUMENTS
from engine.media.formats import UNTYPED


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("invoice.pdf", "application/pdf"),
        ("INVOICE.PDF", "application/pdf"),
        ("rows.csv", "text/csv"),
        ("a.b/notes.md", "text/markdown"),
        ("notes.Markdown", "text/markdown"),
        ("cat.png", UNTYPED),
        ("csv", UNTYPED),
        ("", UNTYPED),
    ],
)
def test_documents_are_sent_with_the_type_of_their_names(name: str, expected: str) -> None:
    assert content_type_of(name) == expected


@pytest.mark.parametrize("content_type", sorted(DOCUMENTS))
def test_a_document_is_saved_under_an_ending_that_gives_its_type_again(content_type: str) -> None:
    assert content_type_of(f"x{ending_of(content_type)}") == content_type


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("image/png", ".png"),
        ("image/jpeg", ".jpg"),
        ("audio/wav", ".wav"),
        ("audio/mp4", ".m4a"),
        ("video/mp4", ".mp4"),
        ("text/html", ".html"),
        ("text/plain", ".txt"),
        ("made/up", ""),
    ],
)
def test_each_type_has_the_ending_that_systems_know(content_type: str, expected: str) -> None:
    assert ending_of(content_type) == expected
