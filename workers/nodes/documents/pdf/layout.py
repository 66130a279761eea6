"""Layout of a page: words become paragraphs, headings and tables in reading order."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from workers.nodes.documents.markdown import heading, table_text
from workers.nodes.documents.pdf.rows import (
    MARK,
    Piece,
    RowGroup,
    TextRow,
    group_rows,
    join_words,
    make_rows,
)
from workers.nodes.documents.pdf.rules import Grid, Rules, find_grids
from workers.nodes.documents.pdf.words import Word, is_right_to_left

BULLETS = "•◦▪‣●○■□·"
LEVELS = ((1.7, 1), (1.35, 2), (1.12, 3))
"""Least share of the usual size of the font for each level of headings."""
MAX_HEADING = 160
MAX_DEPTH = 3
NUMBER = 16
"""Most characters of a cell that is a number."""
FRAME_LINES = 3
"""Least lines with a wide gap in what is no cell."""
FILLED = 0.3
"""Least share of cells with a text: other lines are drawings."""


@dataclass(slots=True)
class PageLayout:
    """Blocks of a page in reading order."""

    blocks: list[str] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)


class UsualSize:
    """The size of the font of most letters."""

    def __init__(self) -> None:
        self._letters: Counter[float] = Counter()
        self.value = 10.0

    def add(self, words: Sequence[Word]) -> None:
        """Count the letters of words."""
        for word in words:
            self._letters[round(word.size * 2) / 2] += len(word.text)
        if self._letters:
            self.value = self._letters.most_common(1)[0][0] or 10.0


def lay_out(words: Sequence[Word], rules: Rules, body: float) -> PageLayout:
    """Return the blocks of a page, whose usual size of the font is `body`."""
    layout = PageLayout()
    upright = [word for word in words if word.is_upright]
    tables, left = _ruled_tables(upright, rules)
    _Writer(layout, body).write(make_rows(left, tables), MAX_DEPTH)
    turned = [word.text for word in words if not word.is_upright]
    if turned:
        layout.blocks.append(" ".join(turned))
    return layout


def _ruled_tables(words: list[Word], rules: Rules) -> tuple[list[Piece], list[Word]]:
    """Return the tables between lines, and the words beside them."""
    tables: list[Piece] = []
    for grid in find_grids(rules):
        inside: dict[tuple[int, int], list[Word]] = {}
        outside: list[Word] = []
        for word in words:
            place = grid.find(*word.middle)
            if place is None:
                outside.append(word)
            else:
                inside.setdefault(place, []).append(word)
        rows = [] if any(map(_has_layout, inside.values())) else _grid_rows(grid, inside)
        if rows:
            box = grid.box
            tables.append(Piece(box.left, box.top, box.right, box.bottom, rows=rows))
            words = outside
    return tables, words


def _has_layout(words: list[Word]) -> bool:
    """Return whether a cell has columns of its own: it is a frame around a part of the page."""
    lines = make_rows(words)
    wide = sum(len(line.pieces) > 1 for line in lines)
    return wide >= FRAME_LINES and wide * 2 > len(lines)


def _cell_lines(cells: list[list[Word]]) -> list[list[str]]:
    """Return the rows within a row whose cells have one number beside another in each line."""
    lines = [make_rows(words) for words in cells]
    filled = [cell for cell in lines if cell]
    count = len(filled[0]) if filled else 0
    texts = [[_line_text(line) for line in cell] or [""] * count for cell in lines]
    numbers = sum(
        all(any(map(str.isdigit, text)) and len(text) <= NUMBER for text in cell)
        for cell in texts
        if any(cell)
    )
    is_level = all(
        len(cell) == count
        and all(
            abs(a.bottom - b.bottom) < 0.3 * a.size for a, b in zip(cell, filled[0], strict=True)
        )
        for cell in filled
    )
    if count < 2 or len(filled) < 2 or not is_level or numbers * 2 < len(filled):
        return [[" ".join(filter(None, cell)) for cell in texts]]
    return [list(row) for row in zip(*texts, strict=True)]


def _line_text(line: TextRow) -> str:
    return " ".join(join_words(piece.words) for piece in line.pieces)


def _grid_rows(grid: Grid, inside: dict[tuple[int, int], list[Word]]) -> list[list[str]]:
    height, width = len(grid.tops) - 1, len(grid.lefts) - 1
    cells = [[inside.get((row, column), []) for column in range(width)] for row in range(height)]
    rows = [line for row in cells for line in _cell_lines(row)]
    rows = [row for row in rows if any(row)]
    columns = [number for number in range(width) if any(row[number] for row in rows)]
    owners = {owner for line in grid.owners for owner in line}
    if len(rows) < 2 or len(columns) < 2 or len(inside) < FILLED * len(owners):
        return []
    return [[row[number] for number in columns] for row in rows]


class _Writer:
    """Writes rows into a layout."""

    def __init__(self, layout: PageLayout, body: float) -> None:
        self._layout = layout
        self._body = body
        self._lines: list[str] = []
        self._last: TextRow | None = None
        self._is_cut = False

    def write(self, rows: Sequence[TextRow], depth: int) -> None:
        """Write rows in reading order; columns are written one after another."""
        for each in group_rows(rows):
            if isinstance(each, TextRow):
                self._write_row(each)
            elif depth and each.is_table and not each.is_numbered:
                self._write_table(_table_rows(each))
            elif depth and not each.is_numbered:
                for column in _columns(each):
                    self.write(column, depth - 1)
                    self._end_paragraph()
            else:
                for row in each.rows:
                    self._write_row(row)
        self._end_paragraph()

    def _write_row(self, row: TextRow) -> None:
        for piece in row.pieces:
            if piece.rows is not None:
                self._write_table(piece.rows)
        words = [word for piece in row.pieces for word in piece.words]
        if words:
            self._write_line(row, join_words(words), words)

    def _write_line(self, row: TextRow, text: str, words: Sequence[Word]) -> None:
        level = self._level(row, text)
        if self._last is not None and not self._belongs(row, text):
            self._end_paragraph()
        self._last = row
        if level:
            self._end_paragraph()
            self._layout.blocks.append(heading(level, text))
            return
        if text[0] in BULLETS and text[1:].strip():
            text = f"- {text[1:].strip()}"
        if self._is_cut and self._lines:
            first, _, rest = text.partition(" ")
            self._lines[-1] += first
            text = rest
        if text:
            self._lines.append(text)
        self._is_cut = max(words, key=lambda word: word.right).is_cut

    def _belongs(self, row: TextRow, text: str) -> bool:
        """Return whether a row goes on with the paragraph of the last one."""
        last = self._last
        if last is None or not self._lines:
            return False
        if abs(row.size - last.size) > 0.15 * last.size:
            return False
        return -row.height < row.top - last.bottom < 0.5 * row.size

    def _level(self, row: TextRow, text: str) -> int:
        if len(text) > MAX_HEADING or MARK.fullmatch(text) or not any(map(str.isalpha, text)):
            return 0
        share = row.size / self._body
        return next((level for least, level in LEVELS if share >= least), 0)

    def _write_table(self, rows: list[list[str]]) -> None:
        self._end_paragraph()
        self._layout.tables.append(rows)
        self._layout.blocks.append(table_text(rows))

    def _end_paragraph(self) -> None:
        if self._lines:
            self._layout.blocks.append("\n".join(self._lines))
        self._lines, self._last, self._is_cut = [], None, False


def _columns(group: RowGroup) -> Iterator[list[TextRow]]:
    """Yield the rows of each column in reading order."""
    pieces = [piece for row in group.rows for piece in row.pieces]
    bands = range(len(group.bands))
    cells = group.cells()
    from_right = is_right_to_left("".join(piece.text for piece in pieces[:50]))
    for band in reversed(bands) if from_right else bands:
        found = [piece for row in cells for piece in row[band]]
        yield [
            TextRow(piece.left, piece.top, piece.right, piece.bottom, [piece]) for piece in found
        ]


def _table_rows(group: RowGroup) -> list[list[str]]:
    """Return the cells of a table without lines; lines of wrapped cells are joined."""
    cells = [
        [join_words([word for piece in cell for word in piece.words]) for cell in row]
        for row in group.cells()
    ]
    rows: list[list[str]] = []
    for number, row in enumerate(cells):
        if rows and _is_wrapped(group, number, row):
            rows[-1] = [" ".join(filter(None, pair)) for pair in zip(rows[-1], row, strict=True)]
        else:
            rows.append(row)
    return rows


def _is_wrapped(group: RowGroup, number: int, row: list[str]) -> bool:
    """Return whether a row has only the further lines of cells above it."""
    if sum(map(bool, row)) > 1 or len(row) < 2:
        return False
    gaps = sorted(b.top - a.top for a, b in zip(group.rows, group.rows[1:], strict=False))
    usual = gaps[len(gaps) // 2]
    return group.rows[number].top - group.rows[number - 1].top < 0.8 * usual or not row[0]
