"""Descriptions of image edits, which a child process carries out."""

from dataclasses import dataclass, field
from enum import StrEnum

MAX_SIDE = 10_000
MAX_SOURCE_BYTES = 40_000_000
IMAGE_SECONDS = 15.0
"""Default time limit of one image."""

READ_SIDE = 2_000
"""Images are scaled down to this side before text recognition."""
READ_SECONDS = 30.0
"""Default time limit of text recognition in one image, with loaded models."""
MAX_READ = 1_000


class ImageFormat(StrEnum):
    """Output format of an image."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"

    @property
    def content_type(self) -> str:
        """Media type of the format."""
        return f"image/{self}"


class Fit(StrEnum):
    """Treatment of an image with another aspect ratio than the requested size."""

    CONTAIN = "contain"
    """The largest size that fits inside."""
    COVER = "cover"
    """The smallest size that covers it; the excess is cut off."""
    STRETCH = "stretch"


class Anchor(StrEnum):
    """Position in an image."""

    TOP_LEFT = "top-left"
    TOP = "top"
    TOP_RIGHT = "top-right"
    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"
    BOTTOM_LEFT = "bottom-left"
    BOTTOM = "bottom"
    BOTTOM_RIGHT = "bottom-right"

    @property
    def shares(self) -> tuple[float, float]:
        """Shares of the free space to the left of and above an element at this position."""
        across = 0.0 if "left" in self else 1.0 if "right" in self else 0.5
        down = 0.0 if "top" in self else 1.0 if "bottom" in self else 0.5
        return across, down


CAPTION_ANCHORS = (Anchor.TOP, Anchor.CENTER, Anchor.BOTTOM)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveOptions:
    """Options of writing an image."""

    format: ImageFormat | None = None
    """None: the source's format, or PNG if that cannot be written."""
    quality: int | None = None
    background: str = "#ffffff"
    """Background of an image that is written without transparency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """Resize; a missing side follows from the aspect ratio."""

    width: int | None
    height: int | None
    fit: Fit = Fit.CONTAIN
    saving: SaveOptions = field(default_factory=SaveOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """Crop to the largest area of a ratio, or to a size, at an anchor or from a corner."""

    ratio: tuple[float, float] | None = None
    size: tuple[int, int] | None = None
    corner: tuple[int, int] | None = None
    anchor: Anchor = Anchor.CENTER
    saving: SaveOptions = field(default_factory=SaveOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compose:
    """Overlay of another image; `scale` and `margin` are shares of the width."""

    anchor: Anchor = Anchor.BOTTOM_RIGHT
    scale: float = 0.25
    margin: float = 0.02
    opacity: float = 1.0
    saving: SaveOptions = field(default_factory=SaveOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """Text on an image; `size` is the height of letters in percent of the image's."""

    text: str = ""
    anchor: Anchor = Anchor.BOTTOM
    size: float = 6.0
    color: str = "#ffffff"
    background: str = "#000000a0"
    saving: SaveOptions = field(default_factory=SaveOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Convert:
    """Conversion of the format only."""

    saving: SaveOptions = field(default_factory=SaveOptions)


Edit = Resize | Crop | Compose | Caption | Convert
"""Any edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageData:
    """Encoded image and its content type."""

    data: bytes
    content_type: str
