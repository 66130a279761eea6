from headrace_client.core.content_types import guess_type


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
