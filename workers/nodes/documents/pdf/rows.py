"""Rows of a page, and rows that share gaps: columns of a text, or a table without lines."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from workers.nodes.documents.pdf.words import Box, Word, is_right_to_left

MARK = re.compile(r"[•◦▪‣·●○■□–\-*]|\(?\d{1,3}[.)]|\(?[a-z][.)]")
GAP_SIZES = 1.0
"""Sizes of the font between words of two cells or columns."""
SEAM_SIZES = 0.5
"""Sizes of the font between words of two cells, where other rows have a gap."""
MIN_ROWS = 3
MOST_ACROSS = 3
"""One row of so many may have a piece across a gap."""
BREAK_SIZES = 4.0
"""Sizes of the font between rows that do not belong together."""
PART_STEPS = 2.5
"""Usual distances of rows between two tables."""
TITLE_SIZES = 1.2
WRAPPED = 0.9
"""Least share, of rows with one cell, of those in the column whose texts have several lines."""
CELL_CHARACTERS = 24
"""Cells have fewer characters on average than the lines of a column of text."""


Bands = list[tuple[float, float]]
"""Left and right edges of columns."""


@dataclass(slots=True)
class Piece(Box):
    """Words of a row without a wide gap, or a table between lines."""

    words: list[Word] = field(default_factory=list)
    rows: list[list[str]] | None = None
    """Rows of a table; None: it is text."""

    @property
    def text(self) -> str:
        """Its words in reading order."""
        return join_words(self.words)

    @property
    def size(self) -> float:
        """Size of most of its letters."""
        return max(self.words, key=lambda word: len(word.text)).size if self.words else 10.0


@dataclass(slots=True)
class TextRow(Box):
    """Pieces beside each other."""

    pieces: list[Piece]

    @property
    def size(self) -> float:
        """Size of the font of its longest piece."""
        return max(self.pieces, key=lambda piece: piece.right - piece.left).size


@dataclass(slots=True)
class RowGroup:
    """Rows that share the gaps between bands."""

    rows: list[TextRow]
    bands: Bands

    def cells(self) -> list[list[list[Piece]]]:
        """Return the pieces of each row by band."""
        return [self._row_cells(row) for row in self.rows]

    def _row_cells(self, row: TextRow) -> list[list[Piece]]:
        cells: list[list[Piece]] = [[] for _ in self.bands]
        for piece in row.pieces:
            for band, part in _placed(piece, self.bands):
                cells[band].append(part)
        return cells

    @property
    def is_numbered(self) -> bool:
        """Whether the first of two bands counts the rows."""
        if len(self.bands) != 2:
            return False
        first = [cell[0].text for cell, _ in self.cells() if cell]
        if not all(text.isdecimal() and len(text) < 4 for text in first):
            return False
        numbers = [int(text) for text in first]
        return numbers == list(range(numbers[0], numbers[0] + len(numbers)))

    @property
    def is_table(self) -> bool:
        """Whether the bands have short texts beside each other."""
        cells = self.cells()
        if any(piece.rows for row in self.rows for piece in row.pieces):
            return False
        if not _is_beside_each_other(cells):
            return False
        lengths = sorted(
            _mean_length([row[band] for row in cells]) for band in range(len(self.bands))
        )
        texts = max(1, len(lengths) // 3)  # columns that may have long texts
        return all(length < CELL_CHARACTERS for length in lengths[:-texts])


def _placed(piece: Piece, bands: Bands) -> Iterator[tuple[int, Piece]]:
    """Yield the bands of a piece; over several bands it is parted, if all its parts fit."""
    covered = _covered(piece, bands)
    parts = _spaced(piece.words) if len(covered) > 1 else []
    owners = [_covered(part, bands) or [_nearest(part, bands)] for part in parts]
    if parts and all(len(owner) == 1 for owner in owners):
        yield from ((owner[0], part) for owner, part in zip(owners, parts, strict=True))
    else:
        yield covered[0] if covered else _nearest(piece, bands), piece


def _spaced(words: Sequence[Word]) -> list[Piece]:
    """Return words in parts with more than the space of two words between them."""
    parts: list[Piece] = []
    for word in words:
        if parts and word.left - parts[-1].right < SEAM_SIZES * word.size:
            _extend(parts[-1], word)
        else:
            parts.append(Piece(word.left, word.top, word.right, word.bottom, [word]))
    return parts


def _covered(box: Box, bands: Bands) -> list[int]:
    return [
        band for band, (left, right) in enumerate(bands) if box.left < right and left < box.right
    ]


def _nearest(box: Box, bands: Bands) -> int:
    return min(
        range(len(bands)),
        key=lambda band: max(bands[band][0] - box.right, box.left - bands[band][1]),
    )


def _is_beside_each_other(cells: list[list[list[Piece]]]) -> bool:
    """Return whether most rows have several cells, or those with one go on with the same column."""
    alone = [[bool(cell) for cell in row].index(True) for row in cells if sum(map(bool, row)) == 1]
    full = sum(sum(map(bool, row)) > 1 for row in cells)
    if full < MIN_ROWS - 1:
        return False
    if full * 2 >= len(cells):
        return True
    most = max(map(alone.count, set(alone)), default=0)
    return len(cells[0]) > 2 and most >= WRAPPED * len(alone)


def _mean_length(cells: list[list[Piece]]) -> float:
    lengths = [sum(len(word.text) + 1 for piece in cell for word in piece.words) for cell in cells]
    filled = [length for length in lengths if length]
    return sum(filled) / len(filled) if filled else 0.0


def join_words(words: Sequence[Word]) -> str:
    """Return words of one row as a text."""
    ordered = sorted(words, key=lambda word: word.left)
    if is_right_to_left("".join(word.text for word in ordered)):
        ordered.reverse()
    return " ".join(word.text for word in ordered)


def make_rows(words: Sequence[Word], tables: Sequence[Piece] = ()) -> list[TextRow]:
    """Return the rows of a page from top to bottom."""
    items: list[Box] = sorted([*words, *tables], key=lambda box: box.middle[1])
    rows: list[list[Box]] = []
    for item in items:
        if rows and _is_beside(rows[-1][0], item):
            rows[-1].append(item)
        else:
            rows.append([item])
    made = [_row(row) for row in rows]
    return sorted(made, key=lambda row: (row.top, row.left))


def _is_beside(first: Box, item: Box) -> bool:
    if isinstance(first, Piece) or isinstance(item, Piece):
        return False
    return item.middle[1] - first.middle[1] <= 0.5 * min(first.height, item.height * 1.5)


def _row(items: Sequence[Box]) -> TextRow:
    pieces: list[Piece] = []
    for item in sorted(items, key=lambda box: box.left):
        if isinstance(item, Piece):
            pieces.append(item)
        elif isinstance(item, Word):
            if pieces and _continues(pieces[-1], item):
                _extend(pieces[-1], item)
            else:
                pieces.append(Piece(item.left, item.top, item.right, item.bottom, [item]))
    return TextRow(*_hull(pieces), pieces)


def _continues(piece: Piece, word: Word) -> bool:
    gap, size = word.left - piece.right, max(word.size, 4.0)
    if gap <= GAP_SIZES * size:
        return True
    return gap <= 4 * size and len(piece.words) == 1 and bool(MARK.fullmatch(piece.words[0].text))


def _extend(piece: Piece, word: Word) -> None:
    piece.words.append(word)
    piece.top, piece.bottom = min(piece.top, word.top), max(piece.bottom, word.bottom)
    piece.right = max(piece.right, word.right)


def _hull(boxes: Sequence[Box]) -> tuple[float, float, float, float]:
    return (
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def group_rows(rows: Sequence[TextRow]) -> Iterator[TextRow | RowGroup]:
    """Yield rows one by one, and those that share gaps together."""
    at = 0
    while at < len(rows):
        group = _begin_group(rows, at) or _headed_group(rows, at)
        if group is None:
            yield rows[at]
            at += 1
        else:
            yield from _trimmed(group)
            at += len(group.rows)


def _begin_group(rows: Sequence[TextRow], start: int) -> RowGroup | None:
    bands = _merged([], rows[start])
    end, bottom = start + 1, rows[start].bottom
    while end < len(rows):
        row = rows[end]
        if row.top - bottom > BREAK_SIZES * row.size:
            break
        wider = _merged(bands, row)
        if len(wider) < 2 or _bridges(row, bands, wider):
            break
        if end - start < MIN_ROWS and len(wider) < len(row.pieces):
            break  # the first rows cover the gaps of this one: they are of something else
        bands, bottom, end = wider, max(bottom, row.bottom), end + 1
    if end - start < MIN_ROWS or len(bands) < 2:
        return None
    return _parted_group(list(rows[start:end]), bands)


def _headed_group(rows: Sequence[TextRow], start: int) -> RowGroup | None:
    """Return a table whose first row has texts so close that they share no gap with the others."""
    is_last = start + 1 == len(rows) or len(rows[start + 1].pieces) < 2
    below = None if is_last else _begin_group(rows, start + 1)
    if below is None or not below.is_table:
        return None
    head, first = rows[start], below.rows[0]
    whole = RowGroup([head, *below.rows], below.bands)
    filled = sum(map(bool, whole.cells()[0]))
    is_near = first.top - head.bottom < first.size
    return whole if is_near and filled > max(1, len(below.bands) // 2) else None


def _parted_group(rows: list[TextRow], bands: Bands) -> RowGroup:
    """Return rows with bands that few pieces may lie across, such as titles of two columns."""
    parted: Bands = []
    for band in bands:
        inside = [[piece for piece in row.pieces if _covered(piece, [band])] for row in rows]
        parted += _parts([pieces for pieces in inside if pieces]) or [band]
    return RowGroup(rows, parted)


def _parts(rows: list[list[Piece]]) -> Bands:
    """Return the bands within a band, in which most of its rows fit; none: it is one."""
    found: Bands = []
    several = across = 0
    for pieces in sorted(rows, key=len, reverse=True):
        wider = _merged(found, TextRow(*_hull(pieces), pieces))
        if len(wider) < len(found):
            across += 1
        else:
            found = wider
            several += len(pieces) > 1
    return found if several >= MIN_ROWS - 1 and across * MOST_ACROSS <= len(rows) else []


def _bridges(row: TextRow, before: Bands, after: Bands) -> bool:
    """Return whether a row lies across bands, so that it is no row of the same table."""
    return len(after) * 2 < len(before) or (len(row.pieces) == 1 and len(after) < len(before))


def _merged(bands: Bands, row: TextRow) -> Bands:
    """Return the bands that cover a row too; bands with a narrow gap become one."""
    least = 0.8 * row.size
    found: Bands = []
    for left, right in sorted([*bands, *((piece.left, piece.right) for piece in row.pieces)]):
        if found and left - found[-1][1] < least:
            found[-1] = found[-1][0], max(found[-1][1], right)
        else:
            found.append((left, right))
    return found


def _trimmed(group: RowGroup) -> Iterator[TextRow | RowGroup]:
    """Yield a group; a table by its parts, and by themselves the rows around it with one piece."""
    if not group.is_table:
        yield group
        return
    at = _part_end(group.rows)
    if at is not None:
        yield from group_rows(group.rows[:at])
        yield from group_rows(group.rows[at:])
        return
    start, end = 0, len(group.rows)
    filled = [sum(map(bool, row)) for row in group.cells()]
    while start < end and filled[start] < 2:
        start += 1
    while end > start and _is_alone(group.rows[end - 1], group.bands):
        end -= 1
    yield from group.rows[:start]
    kept = RowGroup(group.rows[start:end], group.bands)
    if len(kept.rows) >= MIN_ROWS - 1:
        yield kept
    else:
        yield from kept.rows
    yield from group.rows[end:]


def _part_end(rows: Sequence[TextRow]) -> int | None:
    """Return where another table begins: behind a wide gap, or at a larger row and behind it."""
    steps = [after.top - before.top for before, after in zip(rows, rows[1:], strict=False)]
    usual = sorted(steps)[len(steps) // 2]
    size = sorted(row.size for row in rows)[len(rows) // 2]
    for at, step in enumerate(steps, 1):
        above, below = (_is_title(row, size) for row in rows[at - 1 : at + 1])
        if above or below or step > PART_STEPS * usual:
            return at
    return None


def _is_title(row: TextRow, size: float) -> bool:
    return len(row.pieces) == 1 and row.size > TITLE_SIZES * size


def _is_alone(row: TextRow, bands: Sequence[tuple[float, float]]) -> bool:
    return len(row.pieces) < 2 and row.left <= bands[0][1]
