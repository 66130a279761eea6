from engine.media.documents.types import type_of_name
from headrace_client.core.content_types import DOCUMENTS, guess_type


def test_documents_and_sounds_have_the_types_that_the_server_takes() -> None:
    expected = {
        "invoice.PDF": "application/pdf",
        "notes.md": "text/markdown",
        "rows.csv": "text/csv",
        "rows.tsv": "text/tab-separated-values",
        "page.htm": "text/html",
        "note.m4a": "audio/mp4",
        "note.wav": "audio/wav",
        "note.opus": "audio/ogg",
        "cat.png": "image/png",
        "unknown": "application/octet-stream",
    }

    assert {name: guess_type(name) for name in expected} == expected
    assert guess_type("sheet.xlsx").endswith("spreadsheetml.sheet")


def test_the_server_knows_the_same_documents() -> None:
    assert {ending: type_of_name(f"x{ending}") for ending in DOCUMENTS} == DOCUMENTS
