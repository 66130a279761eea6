"""Captions: lines of text on a band across the image."""

from collections.abc import Iterator

from PIL import Image, ImageColor, ImageDraw

from engine.nodes.support.image_edits import Caption
from workers.nodes.imaging.letters import Letters, drawable

MIN_SIZE = 8
SHRINKING = 0.85
LINE_HEIGHT = 1.3
PADDING = 0.5
"""Around the text, in letters."""


def draw_caption(image: Image.Image, task: Caption) -> Image.Image:
    """Return the image with its caption, in smaller letters where it would not fit.

    Raises NodeFailed (invalid_value) when the fonts have none of its letters.
    """
    text = drawable(task.text)
    if not text:
        return image
    size = max(MIN_SIZE, round(image.height * task.size / 100))
    while True:
        letters = Letters(text, size)
        lines = list(_wrap(text, letters, image.width - 2 * round(PADDING * size)))
        height = round((len(lines) * LINE_HEIGHT + 2 * PADDING) * size)
        if height <= image.height or size <= MIN_SIZE:
            break
        size = max(MIN_SIZE, int(size * SHRINKING))
    return _draw(image, task, lines, letters, min(height, image.height))


def _draw(
    image: Image.Image, task: Caption, lines: list[str], letters: Letters, height: int
) -> Image.Image:
    band = Image.new("RGBA", (image.width, height), ImageColor.getrgb(task.background))
    text = Image.new("L", band.size, 0)
    drawing = ImageDraw.Draw(text)
    step, top = LINE_HEIGHT * letters.size, PADDING * letters.size
    for number, line in enumerate(lines):
        center = (image.width / 2, top + (number + 0.5) * step)
        letters.draw(drawing, line, center)
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


def _wrap(text: str, letters: Letters, width: int) -> Iterator[str]:
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            for piece in _broken(word, letters, width):
                longer = f"{line} {piece}" if line else piece
                if line and letters.width(longer) > width:
                    yield line
                    line = piece
                else:
                    line = longer
        yield line


def _broken(word: str, letters: Letters, width: int) -> Iterator[str]:
    """Yield a word in pieces that each fit into a line."""
    while len(word) > 1 and letters.width(word) > width:
        count = max(1, int(len(word) * width / letters.width(word)))
        yield word[:count]
        word = word[count:]
    yield word
