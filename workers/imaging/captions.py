"""Captions: a text in lines, on a band across the image."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources

from PIL import Image, ImageColor, ImageDraw, ImageFont

from engine.failures import NodeFailed
from engine.images import Caption

FONT = "files/NotoSans[wdth,wght].ttf"
AXES = [600.0, 100.0]
"""Weight and width."""
NOTHING = "\uffff"
"""Has no glyph in any font, so it looks like what has none."""
PROBE_SIZE = 24
MIN_SIZE = 8
SHRINKING = 0.85
LINE_HEIGHT = 1.3
PADDING = 0.5
"""Around the text, in letters."""


def draw_caption(image: Image.Image, task: Caption) -> Image.Image:
    """The image with its caption, in smaller letters where it would not fit.

    Raises NodeFailed (invalid_value) for letters that the font does not have.
    """
    text = _drawable(task.text)
    if not text:
        return image
    size = max(MIN_SIZE, round(image.height * task.size / 100))
    while True:
        font = _font(size)
        lines = list(_wrap(text, font, image.width - 2 * round(PADDING * size)))
        height = round((len(lines) * LINE_HEIGHT + 2 * PADDING) * size)
        if height <= image.height or size <= MIN_SIZE:
            break
        size = max(MIN_SIZE, int(size * SHRINKING))
    return _draw(image, task, lines, font, min(height, image.height))


def _draw(
    image: Image.Image, task: Caption, lines: list[str], font: ImageFont.FreeTypeFont, height: int
) -> Image.Image:
    band = Image.new("RGBA", (image.width, height), ImageColor.getrgb(task.background))
    text = Image.new("L", band.size, 0)
    drawing = ImageDraw.Draw(text)
    step, top = LINE_HEIGHT * font.size, PADDING * font.size
    for number, line in enumerate(lines):
        center = (image.width / 2, top + (number + 0.5) * step)
        drawing.text(center, line, fill=255, font=font, anchor="mm")
    color = ImageColor.getcolor(task.color, "RGBA")
    band.alpha_composite(_tinted(text, color))
    place = (0, round((image.height - height) * task.anchor.shares[1]))
    if image.mode == "RGBA":
        image.alpha_composite(band, place)
    else:
        image.paste(band, place, band)
    return image


def _tinted(text: Image.Image, color: int | tuple[int, ...]) -> Image.Image:
    rgba = color if isinstance(color, tuple) else (color, color, color, 255)
    tinted = Image.new("RGBA", text.size, (*rgba[:3], 0))
    tinted.putalpha(text.point(lambda value: value * rgba[3] / 255))
    return tinted


def _drawable(text: str) -> str:
    """The text without signs that the font does not have; its letters must be there."""
    kept = []
    for char in unicodedata.normalize("NFC", text):
        if char in "\n " or _is_known(char):
            kept.append(char)
        elif char.isspace():
            kept.append(" ")
        elif char.isalnum():
            raise NodeFailed("invalid_value", f"The caption's font has no '{char}'")
    return "".join(kept).strip()


@lru_cache(maxsize=4096)
def _is_known(char: str) -> bool:
    font = _font(PROBE_SIZE)
    return bytes(font.getmask(char)) != bytes(font.getmask(NOTHING))


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> Iterator[str]:
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            for piece in _broken(word, font, width):
                longer = f"{line} {piece}" if line else piece
                if line and font.getlength(longer) > width:
                    yield line
                    line = piece
                else:
                    line = longer
        yield line


def _broken(word: str, font: ImageFont.FreeTypeFont, width: int) -> Iterator[str]:
    """A word in pieces that each go into a line."""
    while len(word) > 1 and font.getlength(word) > width:
        count = max(1, int(len(word) * width / font.getlength(word)))
        yield word[:count]
        word = word[count:]
    yield word


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    with resources.as_file(resources.files("fontpkg_noto_sans").joinpath(FONT)) as path:
        font = ImageFont.truetype(path, size)
    font.set_variation_by_axes(AXES)
    return font
