"""Types of files that no record tells: content, declared type, name."""

import pytest

from engine.media.documents.types import CSV, DOCX, HTML, MARKDOWN, PDF, PLAIN, XLSX
from workers.nodes.documents.answer_type import type_of_answer

ZIP = b"PK\x03\x04"


@pytest.mark.parametrize(
    ("data", "declared", "url", "found"),
    [
        (b"%PDF-1.7", "text/plain", "https://a.example/x.txt", PDF),
        (b"\n\n%PDF-1.4", "", "https://a.example/", PDF),
        (b"a,b", "text/csv; charset=utf-8", "https://a.example/x", CSV),
        (b"a,b", "application/octet-stream", "https://a.example/x.csv?y=z.pdf", CSV),
        (b"# a", "text/plain", "https://a.example/README.md", MARKDOWN),
        (b"a", "text/plain", "https://a.example/a", PLAIN),
        (b"<p>", "text/html", "https://a.example/a.md", HTML),
        (ZIP, XLSX, "https://a.example/a", XLSX),
        (ZIP, "application/zip", "https://a.example/a%20b.DOCX", DOCX),
        (ZIP, "text/plain", "https://a.example/a.txt", None),
        (b"a", DOCX, "https://a.example/a.docx", None),
        (b"a", PDF, "https://a.example/a.pdf", None),
        (b"\x89PNG", "image/png", "https://a.example/a.png", None),
    ],
)
def test_content_decides_then_the_declared_type_then_the_name(
    data: bytes, declared: str, url: str, found: str | None
) -> None:
    assert type_of_answer(data, declared, url) == found
