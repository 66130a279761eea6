"""Opening of untrusted images."""

import importlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

from PIL import Image

from engine.errors.nodes import NodeFailed
from engine.media.formats import DECODED, UnfitMedia, check_work
from engine.nodes.support.image_edits import ImageFormat

for _module in ("Jpeg", "Png", "WebP", "Gif", "Avif"):
    # Otherwise the first image makes Pillow import the decoders of seventy formats.
    importlib.import_module(f"PIL.{_module}ImagePlugin")
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Transpositions that bring an image upright, by the orientation in its EXIF."""
SIDEWAYS = frozenset({5, 6, 7, 8})
"""Orientations that swap width and height."""
MAX_PROFILE_BYTES = 1_000_000
WIDE = 257
"""Sixteen bits to eight."""

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image in RGB or RGBA, upright, with the format and color profile of its file."""

    image: Image.Image
    format: ImageFormat
    profile: bytes | None
    full_size: Size
    """Before a decoder made it smaller."""

    def of(self, image: Image.Image) -> "Picture":
        """Return the same picture with another image."""
        return replace(self, image=image)


def open_picture(data: bytes, draft: Callable[[Size], Size] | None = None) -> Picture:
    """Open the first frame of an image. Raises NodeFailed (bad_media, or from `draft`).

    `draft` returns the needed size for the full size: a decoder may stop at it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _open(data, draft)
    except (NodeFailed, MemoryError):
        raise
    except UnfitMedia as error:
        raise NodeFailed("bad_media", str(error)) from None
    except Exception as error:  # decoders fail in every way there is
        raise NodeFailed("bad_media", "The image cannot be read") from error


def _open(data: bytes, draft: Callable[[Size], Size] | None) -> Picture:
    image: Image.Image = Image.open(io.BytesIO(data), formats=DECODED)
    came_as, profile = str(image.format).lower(), image.info.get("icc_profile")
    width, height = image.size
    check_work(f"image/{came_as}", image.size, data)
    orientation = _orientation(image)
    is_sideways = orientation in SIDEWAYS
    full = (height, width) if is_sideways else (width, height)
    if draft is not None:
        needed = draft(full)
        image.draft("RGB", needed[::-1] if is_sideways else needed)
    image.load()
    keeps_profile = image.mode in ("RGB", "RGBA", "P") and len(profile or b"") <= MAX_PROFILE_BYTES
    if orientation in TURNS:
        image = image.transpose(TURNS[orientation])
    known = came_as if came_as in tuple(ImageFormat) else ImageFormat.PNG
    return Picture(
        image=_plain(image),
        format=ImageFormat(known),
        profile=profile if keeps_profile else None,
        full_size=full,
    )


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation; 1 where the EXIF is broken."""
    try:
        found = image.getexif().get(ORIENTATION)
    except MemoryError:
        raise
    except Exception:
        return 1
    return found if isinstance(found, int) else 1


def _plain(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value * (1 / WIDE)).convert("L")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)
