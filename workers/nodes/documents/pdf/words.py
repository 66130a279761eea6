"""Words of a page, with their places as the page is seen."""

import ctypes
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

WORD = re.compile(r"[^\s\x00-\x1f\ufffe\uffff]+")
HYPHENS = "\x02\ufffe"
"""Marks of a word that goes on in the next line."""
MAX_CHARACTERS = 1_000_000
MAX_SAME = 50
SHADOW_SIZES = 0.2
"""Sizes of the font between a word and its shadow."""
TURN_SAMPLES = 60


@dataclass(slots=True)
class Box:
    """A rectangle in points, from the upper left corner of the page."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def height(self) -> float:
        """Distance of its edges."""
        return self.bottom - self.top


@dataclass(slots=True)
class Word(Box):
    """Characters without a space between them."""

    text: str
    size: float
    """Of the font, in points."""
    is_cut: bool = False
    """It goes on in the next line."""

    @property
    def is_upright(self) -> bool:
        """False: it is written from top to bottom, or the other way."""
        return len(self.text) < 3 or self.height < 2 * (self.right - self.left)


def is_right_to_left(text: str) -> bool:
    """Return whether most letters are of a script that is written from the right."""
    if text.isascii():
        return False
    kinds = [unicodedata.bidirectional(letter) for letter in text]
    return sum(kind in ("R", "AL") for kind in kinds) > kinds.count("L")


class PageFrame:
    """Places on a page as it is read: cropped, and turned until its text is level."""

    def __init__(self, page: Any, text_page: Any) -> None:
        turn = text_turn(text_page)
        self._turn = page.get_rotation() if turn is None else turn
        self._left, self._bottom, self._right, self._top = page.get_bbox()

    def box(self, left: float, bottom: float, right: float, top: float) -> Box:
        """Return a rectangle of the PDF's own coordinates."""
        (x0, y0), (x1, y1) = self.point(left, bottom), self.point(right, top)
        return Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return a point of the PDF's own coordinates."""
        if self._turn == 90:
            return y - self._bottom, x - self._left
        if self._turn == 180:
            return self._right - x, y - self._bottom
        if self._turn == 270:
            return self._top - y, self._right - x
        return x - self._left, self._top - y


def read_words(text_page: Any, frame: PageFrame) -> list[Word]:
    """Return the words of a page in the order of the file."""
    handle = text_page.raw
    count = min(pdfium.FPDFText_CountChars(handle), MAX_CHARACTERS)
    text = _characters(handle, count)
    measure = _Measure(handle, frame)
    found = (measure.word(text, match.start(), match.end()) for match in WORD.finditer(text))
    return list(_once(found))


def _once(words: Iterable[Word]) -> Iterator[Word]:
    """Yield words without those that are printed over themselves, as a shadow or to look bold."""
    places: dict[str, list[Word]] = {}
    for word in words:
        same = places.setdefault(word.text, [])
        if not any(_is_over(word, other) for other in same[-MAX_SAME:]):
            same.append(word)
            yield word


def _is_over(word: Word, other: Word) -> bool:
    most = SHADOW_SIZES * word.size
    return abs(word.left - other.left) < most and abs(word.top - other.top) < most


def text_turn(text_page: Any) -> int | None:
    """Return by how many degrees a page must be turned until most letters are level."""
    handle = text_page.raw
    count = min(pdfium.FPDFText_CountChars(handle), MAX_CHARACTERS)
    step = max(1, count // TURN_SAMPLES)
    turns = Counter(
        -round(math.degrees(pdfium.FPDFText_GetCharAngle(handle, each)) / 90) * 90 % 360
        for each in range(0, count, step)
        if not chr(pdfium.FPDFText_GetUnicode(handle, each) & 0xFFFF).isspace()
    )
    return turns.most_common(1)[0][0] if turns else None


def _characters(handle: Any, count: int) -> str:
    """Return one character for each of the page's."""
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    written = pdfium.FPDFText_GetText(handle, 0, count, buffer)
    if written == count + 1:
        text = bytes(buffer)[: 2 * count].decode("utf-16-le", errors="replace")
        if len(text) == count:
            return text
    return "".join(_known(pdfium.FPDFText_GetUnicode(handle, each)) for each in range(count))


def _known(code: int) -> str:
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"


class _Measure:
    """Reads the places of characters."""

    def __init__(self, handle: Any, frame: PageFrame) -> None:
        self._handle = handle
        self._frame = frame
        self._first, self._last = pdfium.FS_RECTF(), pdfium.FS_RECTF()
        self._matrix = pdfium.FS_MATRIX()

    def word(self, text: str, start: int, end: int) -> Word:
        """Return the word between two positions."""
        first, last, handle = self._first, self._last, self._handle
        pdfium.FPDFText_GetLooseCharBox(handle, start, first)
        pdfium.FPDFText_GetLooseCharBox(handle, end - 1, last)
        box = self._frame.box(
            min(first.left, last.left),
            min(first.bottom, last.bottom),
            max(first.right, last.right),
            max(first.top, last.top),
        )
        is_cut = end < len(text) and text[end] in HYPHENS
        edges, letters = (box.left, box.top, box.right, box.bottom), text[start:end]
        if is_right_to_left(letters):
            letters = self._in_order(letters, start)
        return Word(*edges, letters, self._size(start), is_cut)

    def _in_order(self, letters: str, start: int) -> str:
        """Return a word in reading order, which some files have in the order that is seen."""
        strong = [place for place, letter in enumerate(letters) if letter.isalnum()]
        if not strong:
            return letters
        first, last = strong[0], strong[-1]
        pdfium.FPDFText_GetLooseCharBox(self._handle, start + first, self._first)
        pdfium.FPDFText_GetLooseCharBox(self._handle, start + last, self._last)
        if self._first.left >= self._last.left:
            return letters
        turned = letters[first : last + 1][::-1]
        return letters[:first] + turned + letters[last + 1 :]

    def _size(self, position: int) -> float:
        matrix = self._matrix
        size = float(pdfium.FPDFText_GetFontSize(self._handle, position))
        if pdfium.FPDFText_GetMatrix(self._handle, position, matrix):
            size *= float((matrix.c**2 + matrix.d**2) ** 0.5)
        return size or 1.0


def read_fields(page: Any, frame: PageFrame) -> Iterator[Word]:
    """Yield the texts in the form fields of a page."""
    for number in range(min(pdfium.FPDFPage_GetAnnotCount(page), 1_000)):
        annotation = pdfium.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        try:
            if pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_WIDGET:
                yield from _field_words(annotation, frame)
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)


def _field_words(annotation: Any, frame: PageFrame) -> Iterator[Word]:
    text = _annotation_text(annotation, b"V")
    rectangle = pdfium.FS_RECTF()
    if not text or not pdfium.FPDFAnnot_GetRect(annotation, rectangle):
        return
    box = frame.box(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
    lines = [line for line in text.splitlines() if line.strip()]
    height = box.height / max(1, len(lines))
    for number, line in enumerate(lines):
        top = box.top + number * height
        size = min(height, 12.0) or 1.0
        yield Word(box.left, top, box.right, top + height, line.strip(), size)


def _annotation_text(annotation: Any, key: bytes) -> str:
    size = pdfium.FPDFAnnot_GetStringValue(annotation, key, None, 0)
    if not 2 < size < 100_000:
        return ""
    buffer = (ctypes.c_ushort * (size // 2))()
    pdfium.FPDFAnnot_GetStringValue(annotation, key, buffer, size)
    return bytes(buffer)[: size - 2].decode("utf-16-le", errors="replace")
