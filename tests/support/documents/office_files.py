"""Office documents of the parts that a test gives, with the relations that readers need."""

import io
import zipfile
from collections.abc import Mapping

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SLIDE = "http://schemas.openxmlformats.org/presentationml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """Return a ZIP file of the parts, and of the list of types that Office documents have."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"[Content_Types].xml": "<Types/>", **parts}.items():
            archive.writestr(name, content)
    return file.getvalue()


def relations(**targets: str) -> str:
    """Return relations by id; those with `://` lead outside."""
    outside = 'TargetMode="External"'
    listed = "".join(
        f'<Relationship Id="{name}" Type="{OFFICE}/any" Target="{target}" '
        f"{outside if '://' in target else ''}/>"
        for name, target in targets.items()
    )
    return f'<Relationships xmlns="{PACKAGE}">{listed}</Relationships>'


def docx(body: str, **parts: str) -> bytes:
    """Return a DOCX with the XML of a body; parts are `styles`, `numbering`, `footnotes`, …"""
    links = {"word/_rels/document.xml.rels": parts.pop("rels")} if "rels" in parts else {}
    root = f'<w:document xmlns:w="{WORD}" xmlns:r="{OFFICE}"><w:body>{body}</w:body></w:document>'
    others = {
        f"word/{name}.xml": f'<w:{name} xmlns:w="{WORD}">{xml}</w:{name}>'
        for name, xml in parts.items()
    }
    return zipped({"word/document.xml": root, **links, **others})


def xlsx(*rows: str, styles: str = "", texts: str = "", workbook: str = "") -> bytes:
    """Return an XLSX with one sheet of the XML of rows."""
    return zipped(
        {
            "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}">{workbook}<sheets>'
            '<sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relations(rId1="worksheets/sheet1.xml"),
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{SHEET}"><sheetData>'
            f"{''.join(rows)}</sheetData></worksheet>",
            "xl/styles.xml": f'<styleSheet xmlns="{SHEET}">{styles}</styleSheet>',
            "xl/sharedStrings.xml": f'<sst xmlns="{SHEET}">{texts}</sst>',
        }
    )


def pptx(*slides: str) -> bytes:
    """Return a PPTX with slides of the XML of shapes."""
    names = {f"rId{number}": f"slides/slide{number}.xml" for number in range(1, len(slides) + 1)}
    listed = "".join(f'<p:sldId id="{256 + n}" r:id="{name}"/>' for n, name in enumerate(names))
    return zipped(
        {
            "ppt/presentation.xml": f'<p:presentation xmlns:p="{SLIDE}" xmlns:r="{OFFICE}">'
            f"<p:sldIdLst>{listed}</p:sldIdLst></p:presentation>",
            "ppt/_rels/presentation.xml.rels": relations(**names),
            **{
                f"ppt/slides/slide{number}.xml": f'<p:sld xmlns:p="{SLIDE}" xmlns:a="{DRAWING}" '
                f'xmlns:r="{OFFICE}"><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>'
                for number, shapes in enumerate(slides, 1)
            },
        }
    )
