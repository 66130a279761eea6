"""Small documents of every accepted type, made of the standard library."""

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

TYPES_PART = "[Content_Types].xml"
MAIN_PARTS = {
    DOCX: "word/document.xml",
    XLSX: "xl/workbook.xml",
    PPTX: "ppt/presentation.xml",
}


def pdf(*texts: str, before: bytes = b"", after: bytes = b"") -> bytes:
    """Return a PDF with a page for each text, of letters that its plain font has."""
    texts = texts or ("Hello",)
    count = len(texts)
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(count))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for number, text in enumerate(texts):
        shown = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        content = f"BT /F1 24 Tf 40 120 Td ({shown}) Tj ET".encode("latin-1")
        page = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents {5 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(page.encode())
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    data, places = bytearray(before + b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % place for place in places)
    data += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return bytes(data) + b"startxref\n%d\n%%%%EOF\n" % start + after


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
