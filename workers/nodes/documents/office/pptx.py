"""Slides of PPTX: titles, texts and tables; notes are left out."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from engine.media.documents.types import PPTX
from engine.nodes.support.documents import DocumentOptions, DocumentText, Table
from workers.nodes.documents.limits import CellBudget, check_count
from workers.nodes.documents.links import link_text
from workers.nodes.documents.markdown import heading, table_text
from workers.nodes.documents.office.package import Package

PRESENTATION = "ppt/presentation.xml"
TITLES = ("title", "ctrTitle")
LEFT_OUT = ("dt", "ftr", "sldNum", "hdr")
"""Placeholders of dates, footers and numbers."""
MAX_SPAN = 1_000


def read_pptx(data: bytes, options: DocumentOptions) -> DocumentText:
    """Return the slides of a PPTX. Raises NodeFailed (document_unreadable)."""
    package = Package(data)
    name = package.main_part(PRESENTATION)
    targets = package.relations(name)
    slides = [
        targets.get(each.get("r:id", ""), "")
        for listed in package.elements(name, "sldIdLst")
        for each in listed.iter("sldId")
    ]
    check_count(len(slides), "slides", options.max_pages)
    cells = CellBudget()
    pages: list[str] = []
    tables: list[Table] = []
    for slide in slides:
        reader = _SlideReader(package, slide, cells)
        pages.append(reader.read() if slide in package else "")
        tables += reader.tables
    return DocumentText(content_type=PPTX, pages=tuple(pages), tables=tuple(tables))


class _SlideReader:
    """Reads one slide."""

    def __init__(self, package: Package, name: str, cells: CellBudget) -> None:
        self._package = package
        self._name = name
        self._cells = cells
        self._links = package.relations(name)
        self.tables: list[Table] = []

    def read(self) -> str:
        """Return the Markdown of the slide."""
        blocks: list[str] = []
        for tree in self._package.elements(self._name, "spTree"):
            blocks += self._blocks(tree)
        return "\n\n".join(filter(None, blocks))

    def _blocks(self, holder: Element) -> Iterator[str]:
        for each in holder:
            if each.tag in ("grpSp", "AlternateContent", "Choice"):
                yield from self._blocks(each)
            elif each.tag == "sp":
                yield self._shape(each)
            elif each.tag == "graphicFrame":
                for table in each.iter("tbl"):
                    yield self._table(table)

    def _shape(self, shape: Element) -> str:
        placeholder = next(shape.iter("ph"), None)
        kind = None if placeholder is None else placeholder.get("type", "body")
        if kind in LEFT_OUT:
            return ""
        lines = [(level, text) for level, text in self._paragraphs(shape) if text]
        if kind in TITLES:
            return heading(1, " ".join(text for _, text in lines)) if lines else ""
        if kind in ("body", "obj") and len(lines) > 1:
            return "\n".join(f"{'  ' * level}- {text}" for level, text in lines)
        return "\n".join(text for _, text in lines)

    def _paragraphs(self, shape: Element) -> Iterator[tuple[int, str]]:
        for body in shape.iter("txBody"):
            for paragraph in body.iter("p"):
                properties = paragraph.find("pPr")
                level = "0" if properties is None else properties.get("lvl", "0")
                text = "".join(self._texts(paragraph)).strip()
                yield int(level) if level in set("012345678") else 0, text

    def _texts(self, paragraph: Element) -> Iterator[str]:
        for each in paragraph:
            if each.tag in ("r", "fld"):
                yield self._run(each)
            elif each.tag == "br":
                yield "\n"

    def _run(self, run: Element) -> str:
        link = next(run.iter("hlinkClick"), None)
        target = "" if link is None else self._links.get(link.get("r:id", ""), "")
        return link_text(run.findtext("t") or "", target)

    def _table(self, table: Element) -> str:
        rows: Table = []
        for row in table.iter("tr"):
            cells = [self._cell(cell) for cell in row.iter("tc")]
            self._cells.take(len(cells))
            if any(cells):
                rows.append(cells)
        if rows:
            self.tables.append(rows)
        return table_text(rows)

    def _cell(self, cell: Element) -> str:
        if cell.get("hMerge") or cell.get("vMerge"):
            return ""
        return "\n".join(filter(None, (text for _, text in self._paragraphs(cell))))
