"""Rows and cells of a table in HTML."""

from collections.abc import Mapping

from workers.nodes.documents.limits import CellBudget

MAX_SPAN = 1_000


class TableBuilder:
    """Collects the rows of one table; places that a cell covers besides its own are empty."""

    def __init__(self, cells: CellBudget) -> None:
        self._cells = cells
        self._rows: list[list[str]] = []
        self._covered: dict[int, int] = {}
        """Rows that a cell above still covers, by column."""
        self._at = -1

    @property
    def rows(self) -> list[list[str]]:
        """Rows that have a text."""
        return [row for row in self._rows if any(row)]

    def begin_row(self) -> None:
        """Begin a row."""
        self._rows.append([])
        self._at = -1

    def begin_cell(self, values: Mapping[str, str]) -> None:
        """Begin a cell, which may cover several columns and rows."""
        if not self._rows:
            self.begin_row()
        row = self._rows[-1]
        while self._covered.get(len(row), 0):
            self._covered[len(row)] -= 1
            row.append("")
        across, down = _span(values, "colspan"), _span(values, "rowspan")
        self._at = len(row)
        for column in range(len(row), len(row) + across):
            if down > 1:
                self._covered[column] = down - 1
        self._cells.take(across)
        row += [""] * across

    def add_text(self, text: str) -> None:
        """Add a text to the cell that was begun last."""
        if text and self._at >= 0:
            row = self._rows[-1]
            row[self._at] = f"{row[self._at]}\n{text}" if row[self._at] else text


def _span(values: Mapping[str, str], name: str) -> int:
    text = values.get(name, "1")
    return min(MAX_SPAN, max(1, int(text))) if text.isdigit() and len(text) < 6 else 1
