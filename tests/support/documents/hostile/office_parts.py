"""Parts of Word, Excel and PowerPoint files, and files of parts that a caller gives."""

from collections.abc import Sequence

from tests.support.documents.hostile.packing import Entry, archive, plain
from tests.support.documents.office_files import DRAWING as A
from tests.support.documents.office_files import OFFICE as R
from tests.support.documents.office_files import PACKAGE as RELATIONS
from tests.support.documents.office_files import SHEET as S
from tests.support.documents.office_files import SLIDE as P
from tests.support.documents.office_files import WORD as W

TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
OPENXML = "application/vnd.openxmlformats-officedocument"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
MAIN = {
    "word/document.xml": f"{OPENXML}.wordprocessingml.document.main+xml",
    "xl/workbook.xml": f"{OPENXML}.spreadsheetml.sheet.main+xml",
    "ppt/presentation.xml": f"{OPENXML}.presentationml.presentation.main+xml",
}
PARTS = {
    "xl/worksheets/sheet": f"{OPENXML}.spreadsheetml.worksheet+xml",
    "xl/sharedStrings": f"{OPENXML}.spreadsheetml.sharedStrings+xml",
    "ppt/slides/slide": f"{OPENXML}.presentationml.slide+xml",
}


def relations(*targets: tuple[str, str, str, bool]) -> str:
    """Return a part of relations: id, kind, target, and whether the target is outside."""
    rows = "".join(
        f'<Relationship Id="{name}" Type="{R}/{kind}" Target="{target}"'
        + (' TargetMode="External"/>' if is_outside else "/>")
        for name, kind, target, is_outside in targets
    )
    return f'{HEAD}<Relationships xmlns="{RELATIONS}">{rows}</Relationships>'


def package(main: str, entries: Sequence[Entry], *more: Entry) -> list[Entry]:
    """Return the entries of an Office file with its types and its first relation."""
    names = {entry.name for entry in entries}
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{kind}"/>'
        for name in sorted(names)
        for part, kind in (*MAIN.items(), *PARTS.items())
        if name.startswith(part)
    )
    types = (
        f'{HEAD}<Types xmlns="{TYPES}"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType='
        f'"application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>'
    )
    first = relations(("rId1", "officeDocument", main, False))
    return [plain("[Content_Types].xml", types), plain("_rels/.rels", first), *entries, *more]


def word(body: str, *more: Entry, head: str = HEAD) -> bytes:
    """Return a Word file with this body."""
    text = f'{head}<w:document xmlns:w="{W}" xmlns:r="{R}"><w:body>{body}</w:body></w:document>'
    return archive(package("word/document.xml", [plain("word/document.xml", text)], *more))


def word_of(document: Entry) -> bytes:
    """Return a Word file with this main part."""
    return archive(package("word/document.xml", [document]))


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


WORD_HEAD = f'{HEAD}<w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>'
WORD_TAIL = "</w:t></w:r></w:p></w:body></w:document>"


def excel(sheets: Sequence[Entry], strings: Entry | None = None, *more: Entry) -> bytes:
    """Return an Excel file with these sheets."""
    numbers = range(1, len(sheets) + 1)
    rows = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    book = f'{HEAD}<workbook xmlns="{S}" xmlns:r="{R}"><sheets>{rows}</sheets></workbook>'
    targets = [
        (f"rId{n}", "worksheet", sheet.name.removeprefix("xl/"), False)
        for n, sheet in zip(numbers, sheets, strict=True)
    ]
    if strings is not None:
        targets.append(("rIdS", "sharedStrings", "sharedStrings.xml", False))
    parts = [
        plain("xl/workbook.xml", book),
        plain("xl/_rels/workbook.xml.rels", relations(*targets)),
        *({sheet.name: sheet for sheet in sheets}.values()),
    ]
    return archive(package("xl/workbook.xml", parts + ([strings] if strings else []), *more))


SHEET_HEAD = f'{HEAD}<worksheet xmlns="{S}">'
SHEET_TAIL = "</worksheet>"
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"


def sheet(rows: str, *, before: str = "", after: str = "", name: str = SHEET) -> Entry:
    text = f"{SHEET_HEAD}{before}<sheetData>{rows}</sheetData>{after}{SHEET_TAIL}"
    return plain(name, text)


def strings(text: str, *, head: str = HEAD) -> Entry:
    return plain(STRINGS, f'{head}<sst xmlns="{S}"><si><t>{text}</t></si></sst>')


SHARED_CELL = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
INLINE = '<c r="{}" t="inlineStr"><is><t>x</t></is></c>'


def power_point(slide: Entry, count: int = 1) -> bytes:
    """Return a PowerPoint file that has one slide so many times."""
    numbers = range(1, count + 1)
    ids = "".join(f'<p:sldId id="{255 + n}" r:id="rId{n}"/>' for n in numbers)
    show = (
        f'{HEAD}<p:presentation xmlns:p="{P}" xmlns:r="{R}"><p:sldIdLst>{ids}</p:sldIdLst>'
        "</p:presentation>"
    )
    targets = [(f"rId{n}", "slide", slide.name.removeprefix("ppt/"), False) for n in numbers]
    parts = [
        plain("ppt/presentation.xml", show),
        plain("ppt/_rels/presentation.xml.rels", relations(*targets)),
        slide,
    ]
    return archive(package("ppt/presentation.xml", parts))


SLIDE = "ppt/slides/slide1.xml"
SLIDE_HEAD = f'<p:sld xmlns:p="{P}" xmlns:a="{A}"><p:cSld><p:spTree><p:sp><p:txBody><a:p><a:r><a:t>'
SLIDE_TAIL = "</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>"
