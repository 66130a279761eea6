"""Lines that are drawn on a page, and the tables between them."""

import ctypes
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as pdfium

from workers.nodes.documents.pdf.words import Box, PageFrame

NEAR = 2.5
"""Points between lines that count as one, and between ends that count as joined."""
SHORTEST = 4.0
MAX_SEGMENTS = 20_000
MAX_LINES = 1_000
MAX_DEPTH = 3
MAX_ROWS, MAX_COLUMNS = 1_000, 200

Matrix = tuple[float, float, float, float, float, float]
UNTURNED: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(slots=True)
class Rules:
    """Lines of a page, from edge to edge."""

    across: list[Box] = field(default_factory=list)
    down: list[Box] = field(default_factory=list)

    def add(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Add a line, if it is level or upright and long enough."""
        box = Box(
            min(start[0], end[0]),
            min(start[1], end[1]),
            max(start[0], end[0]),
            max(start[1], end[1]),
        )
        wide, high = box.right - box.left, box.bottom - box.top
        if high <= NEAR and wide >= SHORTEST and len(self.across) < MAX_LINES:
            self.across.append(box)
        elif wide <= NEAR and high >= SHORTEST and len(self.down) < MAX_LINES:
            self.down.append(box)


@dataclass(slots=True)
class Grid:
    """A table between lines: the edges of its columns and rows, and its cells."""

    lefts: list[float]
    tops: list[float]
    owners: list[list[tuple[int, int]]]
    """The cell that the place belongs to, where cells are joined."""

    @property
    def box(self) -> Box:
        """The space of the table."""
        return Box(self.lefts[0], self.tops[0], self.lefts[-1], self.tops[-1])

    def find(self, x: float, y: float) -> tuple[int, int] | None:
        """Return row and column of a point; None: it is outside."""
        column, row = bisect_right(self.lefts, x) - 1, bisect_right(self.tops, y) - 1
        if 0 <= row < len(self.tops) - 1 and 0 <= column < len(self.lefts) - 1:
            return self.owners[row][column]
        return None


def read_rules(page: Any, frame: PageFrame) -> Rules:
    """Return the lines of a page."""
    rules, left = Rules(), [MAX_SEGMENTS]
    count, get = pdfium.FPDFPage_CountObjects, pdfium.FPDFPage_GetObject
    _read_objects(page, count, get, UNTURNED, frame, rules, left, 0)
    return rules


def _read_objects(
    holder: Any,
    count: Any,
    get: Any,
    outer: Matrix,
    frame: PageFrame,
    rules: Rules,
    left: list[int],
    depth: int,
) -> None:
    for number in range(count(holder)):
        each = get(holder, number)
        kind = pdfium.FPDFPageObj_GetType(each)
        if kind == pdfium.FPDF_PAGEOBJ_PATH:
            _read_path(each, _combined(_matrix(each), outer), frame, rules, left)
        elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < MAX_DEPTH:
            inner = _combined(_matrix(each), outer)
            counts, gets = pdfium.FPDFFormObj_CountObjects, pdfium.FPDFFormObj_GetObject
            _read_objects(each, counts, gets, inner, frame, rules, left, depth + 1)
        if left[0] <= 0:
            return


def _read_path(path: Any, matrix: Matrix, frame: PageFrame, rules: Rules, left: list[int]) -> None:
    x, y = ctypes.c_float(), ctypes.c_float()
    first = last = None
    for number in range(min(pdfium.FPDFPath_CountSegments(path), left[0])):
        left[0] -= 1
        segment = pdfium.FPDFPath_GetPathSegment(path, number)
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        point = frame.point(*_moved(x.value, y.value, matrix))
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            first = point
        elif kind == pdfium.FPDF_SEGMENT_LINETO and last is not None:
            rules.add(last, point)
        last = point
        if pdfium.FPDFPathSegment_GetClose(segment) and first is not None:
            rules.add(last, first)


def _matrix(each: Any) -> Matrix:
    found = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(each, found):
        return UNTURNED
    return found.a, found.b, found.c, found.d, found.e, found.f


def _combined(inner: Matrix, outer: Matrix) -> Matrix:
    if outer is UNTURNED:
        return inner
    a, b, c, d, e, f = inner
    x, y = _moved(e, f, outer)
    return (
        *(a * outer[0] + b * outer[2], a * outer[1] + b * outer[3]),
        *(c * outer[0] + d * outer[2], c * outer[1] + d * outer[3]),
        *(x, y),
    )


def _moved(x: float, y: float, by: Matrix) -> tuple[float, float]:
    return by[0] * x + by[2] * y + by[4], by[1] * x + by[3] * y + by[5]


def find_grids(rules: Rules) -> Iterator[Grid]:
    """Yield the tables of at least two rows and two columns."""
    if len(rules.across) < 3 or len(rules.down) < 3:
        return
    for across, down in _joined(rules):
        lefts, tops = _places([each.left for each in down]), _places([each.top for each in across])
        if 3 <= len(lefts) <= MAX_COLUMNS and 3 <= len(tops) <= MAX_ROWS:
            yield Grid(lefts, tops, _owners(lefts, tops, across, down))


def _joined(rules: Rules) -> Iterator[tuple[list[Box], list[Box]]]:
    """Yield lines that touch each other."""
    lines = [*rules.across, *rules.down]
    parents = list(range(len(lines)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    for upright, line in enumerate(rules.down, len(rules.across)):
        for level, other in enumerate(rules.across):
            if _touches(line, other):
                parents[root(upright)] = root(level)
    groups: dict[int, tuple[list[Box], list[Box]]] = {}
    for number, line in enumerate(lines):
        groups.setdefault(root(number), ([], []))[number >= len(rules.across)].append(line)
    yield from groups.values()


def _touches(a: Box, b: Box) -> bool:
    return (
        a.left <= b.right + NEAR
        and b.left <= a.right + NEAR
        and a.top <= b.bottom + NEAR
        and b.top <= a.bottom + NEAR
    )


def _places(values: list[float]) -> list[float]:
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > NEAR:
            found.append(value)
    return found


def _owners(
    lefts: Sequence[float], tops: Sequence[float], across: Sequence[Box], down: Sequence[Box]
) -> list[list[tuple[int, int]]]:
    owners: list[list[tuple[int, int]]] = []
    for row in range(len(tops) - 1):
        owners.append([])
        y = (tops[row] + tops[row + 1]) / 2
        edges = [line.left for line in down if line.top <= y <= line.bottom]
        for column in range(len(lefts) - 1):
            x = (lefts[column] + lefts[column + 1]) / 2
            if column and not any(abs(edge - lefts[column]) <= NEAR for edge in edges):
                owner = owners[row][column - 1]
            elif row and not _is_closed(across, x, tops[row]):
                owner = owners[row - 1][column]
            else:
                owner = row, column
            owners[row].append(owner)
    return owners


def _is_closed(across: Sequence[Box], x: float, y: float) -> bool:
    return any(abs(line.top - y) <= NEAR and line.left <= x <= line.right for line in across)
