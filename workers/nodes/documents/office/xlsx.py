"""Sheets of XLSX as tables of JSON values; formulas have the value that was saved with them."""

from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from engine.media.documents.types import XLSX
from engine.nodes.support.documents import DocumentOptions, DocumentText, Table
from workers.nodes.documents.limits import CellBudget, check_count
from workers.nodes.documents.markdown import heading, table_text
from workers.nodes.documents.office.package import Package
from workers.nodes.documents.office.xlsx_dates import DateStyles

MAX_COLUMNS = 16_384
WORKBOOK = "xl/workbook.xml"


def read_xlsx(data: bytes, options: DocumentOptions) -> DocumentText:
    """Return the sheets of an XLSX. Raises NodeFailed (document_unreadable)."""
    package = Package(data)
    sheets = _sheets(package)
    check_count(len(sheets), "sheets", options.max_pages)
    reader = _SheetReader(package)
    pages: list[str] = []
    tables: list[Table] = []
    for name, part in sheets:
        table = reader.read(part) if part in package else []
        pages.append("\n\n".join(filter(None, (heading(1, name), table_text(table)))))
        if table:
            tables.append(table)
    return DocumentText(content_type=XLSX, pages=tuple(pages), tables=tuple(tables))


def _sheets(package: Package) -> list[tuple[str, str]]:
    """Return names and parts of the sheets in their order."""
    workbook = package.main_part(WORKBOOK)
    targets = package.relations(workbook)
    return [
        (each.get("name", ""), targets.get(each.get("r:id", ""), ""))
        for each in package.elements(workbook, "sheet")
    ]


class _SheetReader:
    """Reads sheets with the shared texts and the styles of their workbook."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._texts = _shared_texts(package)
        self._dates = DateStyles(package)
        self._cells = CellBudget()

    def read(self, part: str) -> Table:
        """Return the rows of a sheet that have a value."""
        rows = [row for row in map(self._row, self._package.elements(part, "row")) if row]
        width = max(map(len, rows), default=0)
        self._cells.take(width * len(rows))
        return [[*row, *[None] * (width - len(row))] for row in rows]

    def _row(self, row: Element) -> list[Any]:
        cells: list[Any] = []
        for cell in row:
            if cell.tag != "c":
                continue
            column = _column(cell.get("r", ""))
            if column is None:
                column = len(cells)
            value = self._value(cell)
            if value is None or column >= MAX_COLUMNS:
                continue
            cells += [None] * (column + 1 - len(cells))
            cells[column] = value
        self._cells.take(len(cells))
        return cells

    def _value(self, cell: Element) -> Any:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return _text(cell)
        raw = cell.findtext("v")
        if not raw:
            return None
        if kind == "s":
            place = int(raw) if raw.isdigit() and len(raw) < 10 else -1
            return self._texts[place] if 0 <= place < len(self._texts) else None
        if kind == "b":
            return raw.strip() == "1"
        if kind in ("str", "e", "d"):
            return raw
        return self._number(raw, cell.get("s"))

    def _number(self, raw: str, style: str | None) -> Any:
        try:
            number = float(raw)
        except ValueError:
            return raw
        found = self._dates.convert(number, style)
        if found is not None:
            return found
        if number != number or number in (float("inf"), float("-inf")):
            return raw
        return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _shared_texts(package: Package) -> Sequence[str]:
    name = "xl/sharedStrings.xml"
    if name not in package:
        return ()
    return [_text(each) for each in package.elements(name, "si")]


def _text(holder: Element) -> str:
    return "".join(_runs(holder))


def _runs(holder: Element) -> Iterator[str]:
    for each in holder:
        if each.tag == "t":
            yield each.text or ""
        elif each.tag in ("r", "is"):  # a run of letters; phonetic hints are left out
            yield from _runs(each)


def _column(reference: str) -> int | None:
    """Return the number of the column in a reference like `AB12`."""
    number = 0
    for letter in reference[:4]:
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - 64
    return number - 1 if number else None
