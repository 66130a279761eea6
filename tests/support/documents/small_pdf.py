"""Small PDFs, written by hand: texts in Helvetica, one line under another."""

from collections.abc import Sequence

A4 = (595, 842)
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


def small_pdf(*pages: str) -> bytes:
    """Return a PDF with these pages; their texts are Latin letters."""
    return pdf_of([_content(text) for text in pages])


def put(x: float, y: float, text: str, size: float = 10) -> bytes:
    """Return what writes a text at a place, from the lower left corner of the page."""
    return b"BT /F1 %g Tf 1 0 0 1 %g %g Tm (%s) Tj ET" % (
        size,
        x,
        y,
        _escaped(text.encode("cp1252")),
    )


def lines(*edges: tuple[float, float, float, float]) -> bytes:
    """Return what draws lines from and to places."""
    return b" ".join(b"%g %g m %g %g l S" % edge for edge in edges)


def pdf_of(
    pages: Sequence[bytes],
    page: bytes = b"",
    *,
    size: tuple[int, int] = A4,
    before: bytes = b"",
) -> bytes:
    """Return a PDF of what draws its pages; `page` are further entries of each page."""
    count = len(pages)
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(count))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count),
        FONT,
    ]
    for number, content in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> %s >>" % (*size, 5 + 2 * number, page)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    return assemble(objects, before)


def assemble(objects: Sequence[bytes], before: bytes = b"") -> bytes:
    """Return a PDF of numbered objects, the first of which is the catalogue."""
    data, places = bytearray(before + b"%PDF-1.7\n"), []
    for number, each in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        data += b"%010d 00000 n \n" % place
    data += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
    return bytes(data)


def _content(text: str) -> bytes:
    lines = [line.encode("cp1252") for line in text.split("\n")]
    escaped = [_escaped(line) for line in lines]
    return b"BT /F1 12 Tf 14 TL 72 770 Td %s ET" % b" ".join(b"(%s) Tj T*" % e for e in escaped)


def _escaped(line: bytes) -> bytes:
    return line.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
