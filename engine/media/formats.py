"""Supported media: kinds, types and limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.media.documents import types as documents

HEAD_BYTES = 262_144
"""Bytes at the start of a file that are examined; an image must state its size within them."""
MAX_PIXELS = 50_000_000
"""Limit of an image, on input and output."""
MAX_AVIF_PIXELS = 25_000_000
"""Limit of an AVIF, so that decoding any content fits the memory of a child process."""
DECODED = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
"""Pillow's names of the formats that may be decoded."""
MAX_FRAMES = 1_000
MAX_SCANS = 100
"""Scans of a JPEG, each of which costs time; cameras write one and programs ten."""


class MediaKind(StrEnum):
    """Kind of a medium."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    FILE = "file"
    """A document: PDF, DOCX, XLSX, PPTX, CSV, TSV, TXT, MD, HTML or JSON."""


class UnfitMedia(ValueError):
    """The file is not supported; the message gives the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Properties of a file from its header."""

    content_type: str
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    data_at: int = 0
    """Offset of the data behind the header, in JPEG, WAV and MP3."""
    bytes_per_second: int = 0
    """Of a WAV, whose header may lack the length, and of an MP3 with a constant bit rate."""

    @property
    def medium(self) -> MediaKind:
        """Kind of the medium."""
        return media_kind_of(self.content_type)


ALIASES: Mapping[str, str] = {
    **documents.ALIASES,
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/apng": "image/png",
    "audio/mp3": "audio/mpeg",
    "audio/x-mp3": "audio/mpeg",
    "audio/x-mpeg": "audio/mpeg",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "application/ogg": "audio/ogg",
    "audio/opus": "audio/ogg",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "video/x-m4v": "video/mp4",
}
UNTYPED = "application/octet-stream"
ANY_TYPE = frozenset({UNTYPED, "binary/octet-stream"})
"""Declared types of senders that do not know the type."""
EITHER: Mapping[str, str] = {"video/mp4": "audio/mp4", "video/webm": "audio/webm"}
"""Video containers that may be declared as audio, since they can hold sound alone."""
TYPES = frozenset(
    {
        *("image/png", "image/jpeg", "image/webp", "image/gif", "image/avif"),
        *("video/mp4", "video/webm"),
        *("audio/mpeg", "audio/wav", "audio/ogg", "audio/mp4", "audio/webm"),
    }
)
"""Types of images, videos and sounds."""
KNOWN = TYPES | documents.DOCUMENTS
EXTENSIONS: Mapping[str, str] = {
    **documents.EXTENSIONS,
    "image/jpeg": "jpg",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    UNTYPED: "bin",
}
"""Extensions of files that differ from the end of their types."""
JPEG_START = b"\xff\xd8"
SCAN = b"\xff\xda"


def media_kind_of(content_type: str) -> MediaKind:
    """Return the kind of a medium with an allowed type; documents have many types."""
    group = content_type.partition("/")[0]
    return next((kind for kind in MediaKind if kind == group), MediaKind.FILE)


def extension_of(content_type: str) -> str:
    """Return the extension of a file of a type, as files are named here."""
    return EXTENSIONS.get(content_type) or content_type.rpartition("/")[2]


def declared_type(header: str) -> str:
    """Return the type named by a Content-Type header, with aliases replaced."""
    name = header.partition(";")[0].strip().lower()
    return ALIASES.get(name, name)


def max_pixels(content_type: str) -> int:
    """Return the limit of pixels for an image of a type."""
    return MAX_AVIF_PIXELS if content_type == "image/avif" else MAX_PIXELS


def check_work(content_type: str, size: tuple[int, int], data: bytes) -> None:
    """Raise UnfitMedia if decoding an image would cost too much."""
    check_pixels(*size, max_pixels(content_type))
    if data.startswith(JPEG_START) and data.count(SCAN) > MAX_SCANS:
        raise UnfitMedia(f"The JPEG has more than {MAX_SCANS} passes")


def check_pixels(width: int, height: int, most: int = MAX_PIXELS) -> None:
    """Raise UnfitMedia if an image has no pixels, or more than `most`."""
    if width * height > most:
        raise UnfitMedia(f"The image has {width} x {height} pixels; at most {most} are taken")
    if not width or not height:
        raise UnfitMedia("The image has no pixels")
