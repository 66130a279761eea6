"""Letters of captions: each from the first font that has it, or a replacement sign."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from PIL import ImageDraw, ImageFont

from engine.errors.nodes import NodeFailed

Font = ImageFont.FreeTypeFont
NOTHING = "\uffff"
"""No font has a glyph for it, so it is drawn as a missing glyph."""
REPLACEMENT = "\ufffd"
"""Replaces a letter that no font has."""
PROBE_SIZE = 24
MAX_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A font in a package of data, with its weight and width."""

    package: str
    file: str
    axes: Sequence[float]


LATIN = Face(package="fontpkg_noto_sans", file="files/NotoSans[wdth,wght].ttf", axes=(600.0, 100.0))
EAST_ASIAN = Face(package="manimgx_fonts_cjk", file="NotoSansCJK-VF.otf.ttc", axes=(600.0,))
"""From the extra `fonts-cjk`."""
FACES = (LATIN, EAST_ASIAN)
JAPANESE, KOREAN, CHINESE = range(3)
"""Forms of the letters that these languages share, in the second font."""


class FontRun(NamedTuple):
    """Letters that come from one font."""

    font: Font
    text: str


class Letters:
    """The letters of one text, at one size."""

    def __init__(self, text: str, size: int) -> None:
        self.size = size
        self._form = _form_of(text)

    def width(self, line: str) -> float:
        """Return the width of a line in pixels."""
        return sum(run.font.getlength(run.text) for run in self._runs(line))

    def draw(self, drawing: ImageDraw.ImageDraw, line: str, center: tuple[float, float]) -> None:
        """Draw a line centered at a point, in white."""
        ascent, descent = _font(0, self.size).getmetrics()
        left, base = center[0] - self.width(line) / 2, center[1] + (ascent - descent) / 2
        for run in self._runs(line):
            drawing.text((left, base), run.text, fill=255, font=run.font, anchor="ls")
            left += run.font.getlength(run.text)

    def _runs(self, line: str) -> Iterator[FontRun]:
        for face, letters in groupby(line, lambda letter: _face_of(letter) or 0):
            form = self._form if FACES[face] is EAST_ASIAN else 0
            yield FontRun(_font(face, self.size, form), "".join(letters))


def drawable(text: str) -> str:
    """Return the drawable text: without unknown signs, and with a replacement for unknown letters.

    Raises NodeFailed (invalid_value) when no letter is left.
    """
    kept = list(_drawn(unicodedata.normalize("NFC", text)))
    unknown = [letter for letter, drawn in kept if drawn == REPLACEMENT != letter]
    shown = "".join(drawn for _, drawn in kept).strip()
    if unknown and not any(letter.isalnum() for letter in shown):
        raise NodeFailed("invalid_value", _complaint(unknown))
    return shown


def _drawn(text: Iterable[str]) -> Iterator[tuple[str, str]]:
    for letter in text:
        if letter == "\n" or _face_of(letter) is not None:
            yield letter, letter
        elif letter.isspace():
            yield letter, " "
        elif letter.isalnum():
            yield letter, REPLACEMENT


def _complaint(unknown: Sequence[str]) -> str:
    named = list(dict.fromkeys(unknown))
    more = " and others" if len(named) > MAX_NAMED else ""
    listed = ", ".join(f"'{letter}'" for letter in named[:MAX_NAMED])
    return f"The fonts of captions have none of its letters: {listed}{more}"


@lru_cache(maxsize=8192)
def _face_of(letter: str) -> int | None:
    """Return the first font that has a letter, None for none."""
    return next((face for face in range(len(FACES)) if _has(face, letter)), None)


def _has(face: int, letter: str) -> bool:
    if letter == " ":
        return True
    if _path(FACES[face]) is None:
        return False
    font = _font(face, PROBE_SIZE)
    return bytes(font.getmask(letter)) != bytes(font.getmask(NOTHING))


def _form_of(text: str) -> int:
    names = {unicodedata.name(letter, "").partition(" ")[0] for letter in text}
    if names & {"HIRAGANA", "KATAKANA"}:
        return JAPANESE
    return KOREAN if "HANGUL" in names else CHINESE


@lru_cache(maxsize=16)
def _font(face: int, size: int, form: int = 0) -> Font:
    font = ImageFont.truetype(str(_path(FACES[face])), size, index=form)
    font.set_variation_by_axes(list(FACES[face].axes))
    return font


@lru_cache(maxsize=4)
def _path(face: Face) -> Path | None:
    """Return the font's file, None where its package is not installed."""
    try:
        with resources.as_file(resources.files(face.package).joinpath(face.file)) as path:
            return path
    except ModuleNotFoundError:
        return None
