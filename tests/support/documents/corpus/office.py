"""Office documents of the corpus, written by libraries that we do not read with."""

import datetime
import io
from collections.abc import Callable, Iterator
from typing import Any

import docx
import openpyxl
import pptx
from docx.document import Document

from engine.media.documents.types import DOCX, PPTX, XLSX
from tests.support.documents.corpus import contents as c
from tests.support.documents.corpus.document import CorpusDocument

MANY = 5_000
DATES = [
    ["Ship", "Arrival", "Loaded at", "Tons", "Paid"],
    ["Anna", datetime.date(2026, 3, 14), datetime.datetime(2026, 3, 14, 6, 45), 18.5, True],
    ["Berta", datetime.date(1999, 12, 31), datetime.datetime(2000, 1, 1, 23, 59, 59), 7, False],
    ["Clara", None, None, -0.25, None],
]
DATES_READ = [
    DATES[0],
    ["Anna", "2026-03-14", "2026-03-14T06:45:00", 18.5, True],
    ["Berta", "1999-12-31", "2000-01-01T23:59:59", 7, False],
    ["Clara", None, None, -0.25, None],
]
ROWS = [["Number", "Half", "Name"], *[[n, n + 0.5, f"Bale {n}"] for n in range(1, MANY)]]


def word(write: Callable[[Document], None]) -> Callable[[], bytes]:
    """Return the maker of a DOCX."""

    def make() -> bytes:
        document, file = docx.Document(), io.BytesIO()
        write(document)
        document.save(file)
        return file.getvalue()

    return make


def excel(write: Callable[[Any], None]) -> Callable[[], bytes]:
    """Return the maker of an XLSX."""

    def make() -> bytes:
        book, file = openpyxl.Workbook(), io.BytesIO()
        write(book)
        book.save(file)
        return file.getvalue()

    return make


def slides(write: Callable[[Any], None]) -> Callable[[], bytes]:
    """Return the maker of a PPTX."""

    def make() -> bytes:
        show, file = pptx.Presentation(), io.BytesIO()
        write(show)
        show.save(file)
        return file.getvalue()

    return make


def _table(holder: Any, rows: list[list[str]]) -> Any:
    table = holder.add_table(len(rows), len(rows[0]))
    for row, cells in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    return table


def _report(document: Document) -> None:
    document.add_heading("Chronicle of the harbour", 0)
    document.add_heading("The walls", 1)
    document.add_paragraph(c.PARAGRAPHS[0])
    document.add_heading("Rules", 2)
    for point in c.POINTS:
        document.add_paragraph(point, style="List Bullet")
    _table(document, c.STOCK)
    for point in c.POINTS:
        document.add_paragraph(point, style="List Number")
    document.add_paragraph(c.PARAGRAPHS[1])


def _letter(document: Document) -> None:
    for text in (*c.PARAGRAPHS, c.GERMAN):
        document.add_paragraph(text)


def _nested(document: Document) -> None:
    document.add_paragraph(c.PARAGRAPHS[2])
    outer = _table(document, [["Name", "Details"], ["Anna", "See inside"]])
    inner = outer.cell(1, 1).add_table(2, 2)
    for at, text in (((0, 0), "Tons"), ((0, 1), "18"), ((1, 0), "Crew"), ((1, 1), "12")):
        inner.cell(*at).text = text
    document.add_paragraph(c.PARAGRAPHS[3])


def _merged(document: Document) -> None:
    table = _table(document, [["Both", "", "Note"], ["1870", "1871", "fire"], ["214", "88", ""]])
    table.cell(0, 0).merge(table.cell(0, 1))
    table.cell(1, 2).merge(table.cell(2, 2))


def _invoice(document: Document) -> None:
    document.add_heading(c.INVOICE_HEAD, 1)
    for text in c.INVOICE_TEXT[:2]:
        document.add_paragraph(text)
    _table(document, c.INVOICE)
    document.add_paragraph(c.INVOICE_TEXT[2])
    document.sections[0].footer.paragraphs[0].text = "A footer that is left out"


def _dates(book: Any) -> None:
    book.active.title = "Ships"
    for row in DATES:
        book.active.append(row)


def _sums(book: Any) -> None:
    sheet = book.active
    sheet.title = "Sums"
    for row in (["a", "b"], [1, 2], ["=SUM(A2:B2)", "kept"]):
        sheet.append(row)
    sheet.merge_cells("A5:B5")
    sheet["A5"] = "joined"
    book.create_sheet("Second").append(["other", True])


def _many(book: Any) -> None:
    book.active.title = "Bales"
    for row in ROWS:
        book.active.append(row)


def _show(show: Any) -> None:
    for number, text in enumerate(c.PARAGRAPHS[:3]):
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = f"Slide {number + 1}"
        frame = slide.placeholders[1].text_frame
        frame.text = text
        below = frame.add_paragraph()
        below.text, below.level = c.POINTS[number], 1
        slide.notes_slide.notes_text_frame.text = "A note that is left out"


def _show_table(show: Any) -> None:
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = "Trade"
    shape = slide.shapes.add_table(len(c.STOCK), len(c.STOCK[0]), 0, 0, 9_000_000, 3_000_000)
    for row, cells in zip(shape.table.rows, c.STOCK, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text


def every_office_document() -> Iterator[CorpusDocument]:
    """Yield the Office documents."""
    numbered = [f"{n + 1} {point}" for n, point in enumerate(c.POINTS)]
    report = c.flat(
        *("Chronicle of the harbour", "The walls", c.PARAGRAPHS[0], "Rules", c.POINTS),
        *(c.STOCK, numbered, c.PARAGRAPHS[1]),
    )
    inner = [["Tons", "18"], ["Crew", "12"]]
    outer = [["Name", "Details"], ["Anna", "See inside Tons 18 Crew 12"]]
    nested = c.flat(c.PARAGRAPHS[2], outer, c.PARAGRAPHS[3])
    merged = [["Both", "", "Note"], ["1870", "1871", "fire"], ["214", "88", ""]]
    invoice = c.flat(c.INVOICE_HEAD, c.INVOICE_TEXT[:2], c.INVOICE, c.INVOICE_TEXT[2])
    sums = [[["a", "b"], [1, 2], [None, "kept"], ["joined", None]], [["other", True]]]
    shown = c.flat([(f"Slide {n + 1}", c.PARAGRAPHS[n], c.POINTS[n]) for n in range(3)])
    yield _made(DOCX, "report", word(_report), report, [c.STOCK])
    yield _made(DOCX, "letter", word(_letter), c.flat(c.PARAGRAPHS, c.GERMAN))
    yield _made(DOCX, "tables in tables", word(_nested), nested, [outer, inner])
    yield _made(DOCX, "joined cells", word(_merged), c.flat(merged), [merged])
    yield _made(DOCX, "invoice", word(_invoice), invoice, [c.INVOICE])
    yield _made(XLSX, "dates", excel(_dates), c.flat("Ships", DATES_READ), [DATES_READ])
    yield _made(
        *(XLSX, "formulas", excel(_sums), c.flat("Sums", sums[0], "Second", sums[1]), sums),
        pages=2,
    )
    yield _made(XLSX, "many rows", excel(_many), c.flat("Bales", ROWS), [ROWS])
    yield _made(PPTX, "slides", slides(_show), shown, pages=3)
    yield _made(
        PPTX, "slide with a table", slides(_show_table), c.flat("Trade", c.STOCK), [c.STOCK]
    )


def _made(
    kind: str, name: str, make: Callable[[], bytes], text: str, tables: Any = (), **more: Any
) -> CorpusDocument:
    return CorpusDocument(name=name, content_type=kind, make=make, text=text, tables=tables, **more)
