import pytest

from engine.media.documents.types import DOCUMENTS
from engine.media.formats import ALIASES, TYPES, MediaKind, declared_type, media_kind_of


def test_types_are_read_as_they_come_and_aliases_lead_to_types_that_are_taken() -> None:
    assert declared_type("Image/JPG; charset=x") == "image/jpeg"
    assert declared_type("text/x-markdown; charset=UTF-8") == "text/markdown"
    assert set(ALIASES.values()) <= TYPES | DOCUMENTS


@pytest.mark.parametrize("content_type", sorted(TYPES | DOCUMENTS))
def test_a_document_is_a_file_and_all_else_is_of_the_kind_that_its_type_names(
    content_type: str,
) -> None:
    kind = media_kind_of(content_type)

    assert (kind is MediaKind.FILE) == (content_type in DOCUMENTS)
    assert content_type in DOCUMENTS or content_type.startswith(f"{kind}/")
