"""What can be done to an image: descriptions only; the work is done in a child process."""

from dataclasses import dataclass, field
from enum import StrEnum

MAX_SIDE = 10_000
MAX_SOURCE_BYTES = 40_000_000
IMAGE_SECONDS = 15.0
"""How long one image may take where its node names no time-out."""

READ_SIDE = 2_000
"""Images are made this large, at most, before they are read."""
READ_SECONDS = 30.0
"""How long reading one may take where its node names no time-out, with the models loaded."""
MAX_READ = 1_000


class ImageFormat(StrEnum):
    """What an image can be written as."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"

    @property
    def content_type(self) -> str:
        """How it is called on the wire."""
        return f"image/{self}"


class Fit(StrEnum):
    """What becomes of an image whose shape is another than the one asked for."""

    CONTAIN = "contain"
    """As large as goes into it."""
    COVER = "cover"
    """As small as fills it; what is over is cut off."""
    STRETCH = "stretch"


class Anchor(StrEnum):
    """A place in an image."""

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
        """How much of the free space is on the left of what stands there, and above it."""
        across = 0.0 if "left" in self else 1.0 if "right" in self else 0.5
        down = 0.0 if "top" in self else 1.0 if "bottom" in self else 0.5
        return across, down


CAPTION_ANCHORS = (Anchor.TOP, Anchor.CENTER, Anchor.BOTTOM)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveOptions:
    """How an image is written."""

    format: ImageFormat | None = None
    """None: as it came; one that cannot be written becomes a PNG."""
    quality: int | None = None
    background: str = "#ffffff"
    """What is behind an image that is written without transparency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """To a size; with one side alone the other follows."""

    width: int | None
    height: int | None
    fit: Fit = Fit.CONTAIN
    saving: SaveOptions = field(default_factory=SaveOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """To the largest part of a shape, or to a part of a size, at an anchor or from a corner."""

    ratio: tuple[float, float] | None = None
    size: tuple[int, int] | None = None
    corner: tuple[int, int] | None = None
    anchor: Anchor = Anchor.CENTER
    saving: SaveOptions = field(default_factory=SaveOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compose:
    """Another image upon it; `scale` and `margin` are shares of the width."""

    anchor: Anchor = Anchor.BOTTOM_RIGHT
    scale: float = 0.25
    margin: float = 0.02
    opacity: float = 1.0
    saving: SaveOptions = field(default_factory=SaveOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A text upon it; `size` is that of its letters, in percent of the height."""

    text: str = ""
    anchor: Anchor = Anchor.BOTTOM
    size: float = 6.0
    color: str = "#ffffff"
    background: str = "#000000a0"
    saving: SaveOptions = field(default_factory=SaveOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Convert:
    """Nothing but to write it."""

    saving: SaveOptions = field(default_factory=SaveOptions)


Edit = Resize | Crop | Compose | Caption | Convert
"""All there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageData:
    """Bytes, and what they are."""

    data: bytes
    content_type: str
