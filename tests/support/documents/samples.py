"""A small document of each accepted type, and ZIP files that are like some."""

import io
import zipfile
from collections.abc import Iterable, Mapping

from engine.media.documents.types import (
    CSV,
    DOCX,
    HTML,
    JSON,
    MARKDOWN,
    PDF,
    PLAIN,
    PPTX,
    TSV,
    XLSX,
)
from tests.support.documents.small_pdf import pdf_of, put
from tests.support.media import files

TYPES_PART = "[Content_Types].xml"
MAIN_PARTS = {
    DOCX: "word/document.xml",
    XLSX: "xl/workbook.xml",
    PPTX: "ppt/presentation.xml",
}


def pdf(*texts: str, before: bytes = b"", after: bytes = b"") -> bytes:
    """Return a PDF with a wide page for each text."""
    drawn = [put(40, 120, text, 24) for text in texts or ("Hello",)]
    return pdf_of(drawn, size=(300, 200), before=before) + after


def archive(
    parts: Mapping[str, bytes] | Iterable[str],
    *,
    folders: Iterable[str] = (),
    comment: bytes = b"",
    is_large: bool = False,
) -> bytes:
    """Return a ZIP file; `is_large`: with the records of ZIP64."""
    named = parts if isinstance(parts, Mapping) else dict.fromkeys(parts, b"<a/>")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for folder in folders:
            file.writestr(folder, b"")
        for name, data in named.items():
            file.writestr(name, data)
        file.comment = comment
    return _with_large_end(out.getvalue()) if is_large else out.getvalue()


def _with_large_end(data: bytes) -> bytes:
    """Return the ZIP file with its end in the records of ZIP64."""
    at = data.rindex(b"PK\x05\x06")
    count = int.from_bytes(data[at + 10 : at + 12], "little")
    size, start = (int.from_bytes(data[at + n : at + n + 4], "little") for n in (12, 16))
    numbers = [count, count, size, start]
    record = b"PK\x06\x06" + (44).to_bytes(8, "little") + b"-\0-\0" + bytes(8)
    record += b"".join(each.to_bytes(8, "little") for each in numbers)
    locator = b"PK\x06\x07" + bytes(4) + at.to_bytes(8, "little") + b"\1\0\0\0"
    end = b"PK\x05\x06" + bytes(4) + b"\xff" * 12 + data[at + 20 :]
    return data[:at] + record + locator + end


def office(content_type: str, *others: str, **options: object) -> bytes:
    """Return a ZIP file with the parts by which a document of Office is known, and others."""
    main = MAIN_PARTS[content_type]
    return archive([TYPES_PART, "_rels/.rels", main, *others], **options)  # type: ignore[arg-type]


def samples() -> dict[str, bytes]:
    """Return a small file of each type."""
    return {
        PDF: pdf(),
        **{each: office(each) for each in MAIN_PARTS},
        CSV: b"name,age\nAda,36\n",
        TSV: b"name\tage\nAda\t36\n",
        PLAIN: "Grüße\n".encode(),
        MARKDOWN: b"# Title\n\nText\n",
        HTML: b"<!doctype html><p>Text</p><script>alert(1)</script>",
        JSON: b'{"a": [1, 2]}',
    }


def of_each_kind() -> dict[str, tuple[bytes, str]]:
    """Return a small medium of each kind, with its type."""
    return {
        "image": (files.png(), "image/png"),
        "video": (files.mp4(), "video/mp4"),
        "audio": (files.wav(), "audio/wav"),
        "file": (pdf(), PDF),
    }
