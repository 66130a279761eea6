"""Images for tests, and decoding of results."""

import io
from typing import Any

from PIL import Image

from engine.nodes.support.image_edits import Edit, ImageData
from workers.nodes import imaging

RED, BLUE, WHITE, BLACK = (255, 0, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of an image."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(
    size: tuple[int, int], color: Any = RED, mode: str = "RGB", kind: str = "PNG", **options: Any
) -> bytes:
    """Return an image of one color."""
    return encoded(Image.new(mode, size, color), kind, **options)


def halves(
    size: tuple[int, int], left: Any = RED, right: Any = BLUE, kind: str = "PNG", **options: Any
) -> bytes:
    """Return an image of one color on the left and another on the right."""
    image = Image.new("RGB", size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    return encoded(image, kind, **options)


def opened(medium: ImageData) -> Image.Image:
    """Return the decoded output."""
    image = Image.open(io.BytesIO(medium.data))
    assert Image.MIME[str(image.format)] == medium.content_type
    return image


def edited(task: Edit, *sources: bytes) -> Image.Image:
    """Return the output of an edit."""
    return opened(imaging.edit(task, sources))


def pixel(image: Image.Image, across: float, down: float) -> tuple[int, ...]:
    """Return the color at fractions of width and height."""
    place = (int((image.width - 1) * across), int((image.height - 1) * down))
    found = image.getpixel(place)
    assert isinstance(found, tuple)
    return found


def is_near(found: tuple[int, ...], color: tuple[int, ...], by: int = 12) -> bool:
    """Return whether two colors are close."""
    return len(found) == len(color) and all(
        abs(one - other) <= by for one, other in zip(found, color, strict=True)
    )
