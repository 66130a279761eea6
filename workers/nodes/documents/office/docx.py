"""Text and tables of DOCX: headings, lists, links and tables in the order of the body."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from engine.media.documents.types import DOCX
from engine.nodes.support.documents import DocumentOptions, DocumentText, Table
from workers.nodes.documents.limits import CellBudget
from workers.nodes.documents.links import link_text
from workers.nodes.documents.markdown import heading, table_text
from workers.nodes.documents.office.docx_styles import Numbering, Styles
from workers.nodes.documents.office.package import Package

WHOLE = frozenset({"sdt", "sdtContent", "ins", "smartTag", "customXml", "moveTo", "fldSimple"})
"""Elements that stand for their children."""
LEFT_OUT = frozenset({"del", "moveFrom", "Fallback", "delText", "instrText", "pPr", "rPr"})
MAX_SPAN = 1_000


@dataclass(slots=True)
class _Body:
    """Blocks and tables read so far."""

    blocks: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    in_list: bool = False

    def add(self, text: str, *, in_list: bool = False) -> None:
        """Add a block; items of a list stand right below each other."""
        if in_list and self.in_list:
            self.blocks[-1] += f"\n{text}"
        else:
            self.blocks.append(text)
        self.in_list = in_list


def read_docx(data: bytes, options: DocumentOptions) -> DocumentText:
    """Return the contents of a DOCX, on one page. Raises NodeFailed (document_unreadable)."""
    package = Package(data)
    name = package.main_part("word/document.xml")
    reader = _DocxReader(package, name)
    for block in package.elements(name, "p", "tbl", "sdt"):
        reader.read_block(block)
    for part, title in (("footnotes", "footnote"), ("endnotes", "endnote")):
        reader.read_notes(f"word/{part}.xml", title)
    body = reader.body
    return DocumentText(
        content_type=DOCX, pages=("\n\n".join(body.blocks),), tables=tuple(body.tables)
    )


class _DocxReader:
    """Reads blocks of a document."""

    def __init__(self, package: Package, name: str) -> None:
        self._package = package
        self._links: Mapping[str, str] = package.relations(name)
        self._styles = Styles(package)
        self._numbering = Numbering(package)
        self._cells = CellBudget()
        self.body = _Body()

    def read_block(self, block: Element) -> None:
        """Read a paragraph, a table, or what a frame holds."""
        if block.tag == "p":
            self._read_paragraph(block)
        elif block.tag == "tbl":
            self._read_table(block)
        elif block.tag in WHOLE:
            for each in block:
                self.read_block(each)

    def read_notes(self, name: str, tag: str) -> None:
        """Add the notes of a part, by their numbers."""
        if name not in self._package:
            return
        for note in self._package.elements(name, tag):
            text = " ".join(self._text(each) for each in note.iter("p")).strip()
            if text and note.get("type") is None:
                self.body.add(f"[^{note.get('id')}]: {text}", in_list=True)

    def _read_paragraph(self, paragraph: Element) -> None:
        text = self._text(paragraph).strip()
        properties = paragraph.find("pPr")
        style = _value(properties, "pStyle")
        numbered = self._styles.numbering(style) if properties is None else _numbered(properties)
        numbered = numbered or self._styles.numbering(style)
        if not text:
            return
        level = self._styles.heading_level(style, properties)
        if level:
            self.body.add(heading(level, text))
        elif numbered is not None and numbered[0] != "0":
            mark = self._numbering.next_mark(*numbered)
            self.body.add(f"{'  ' * numbered[1]}{mark} {text}", in_list=True)
        else:
            self.body.add(text)

    def _read_table(self, table: Element) -> None:
        rows = list(self._rows(table))
        if rows:
            self.body.tables.append(rows)
            self.body.add(table_text(rows))
        for nested in _nested_tables(table):
            inner = list(self._rows(nested))
            if inner:
                self.body.tables.append(inner)

    def _rows(self, table: Element) -> Iterator[list[str]]:
        for row in _children(table, "tr"):
            cells: list[str] = []
            for cell in _children(row, "tc"):
                properties = cell.find("tcPr")
                merge = None if properties is None else properties.find("vMerge")
                is_below = merge is not None and merge.get("val", "continue") == "continue"
                cells.append("" if is_below else self._cell(cell))
                cells += [""] * (_span(properties) - 1)
            self._cells.take(len(cells))
            if any(cells):
                yield cells

    def _cell(self, cell: Element) -> str:
        return "\n".join(filter(None, (self._text(each).strip() for each in cell.iter("p"))))

    def _text(self, element: Element) -> str:
        return "".join(self._texts(element))

    def _texts(self, element: Element) -> Iterator[str]:
        for each in element:
            tag = each.tag
            if tag == "t":
                yield each.text or ""
            elif tag in ("tab", "ptab"):
                yield "\t"
            elif tag in ("br", "cr"):
                yield "\n"
            elif tag == "noBreakHyphen":
                yield "-"
            elif tag in ("footnoteReference", "endnoteReference"):
                yield f"[^{each.get('id')}]"
            elif tag == "hyperlink":
                yield link_text(self._text(each), self._links.get(each.get("r:id", ""), ""))
            elif tag not in LEFT_OUT:
                yield from self._texts(each)


def _children(element: Element, tag: str) -> Iterator[Element]:
    for each in element:
        if each.tag == tag:
            yield each
        elif each.tag in WHOLE:
            yield from _children(each, tag)


def _nested_tables(table: Element) -> Iterator[Element]:
    tables = table.iter("tbl")
    next(tables)
    yield from tables


def _numbered(properties: Element) -> tuple[str, int] | None:
    found = properties.find("numPr")
    if found is None:
        return None
    level = _value(found, "ilvl") or "0"
    return _value(found, "numId") or "0", int(level) if level.isdigit() else 0


def _span(properties: Element | None) -> int:
    value = _value(properties, "gridSpan") or "1"
    return min(MAX_SPAN, int(value)) if value.isdigit() else 1


def _value(holder: Element | None, tag: str) -> str | None:
    found = None if holder is None else holder.find(tag)
    return None if found is None else found.get("val")
