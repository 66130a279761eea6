"""Generated files by name: a file follows from its name, so none is stored."""

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass

from deploy.stub_provider.contents import pictures, sounds, videos
from deploy.stub_provider.errors import StubRefused

_NAME = re.compile(
    r"(?P<seed>[0-9a-f]{16})"
    r"-(?:(?P<width>\d{1,4})x(?P<height>\d{1,4})(?:-of-(?P<given>\d{1,2}))?|(?P<ms>\d{1,6}))"
    r"\.(?P<kind>png|jpeg|webp|wav|mp4)"
)
CONTENT_TYPES = {**pictures.FORMATS, "wav": "audio/wav", "mp4": "video/mp4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StubFile:
    """Bytes and type of a file."""

    data: bytes
    content_type: str

    @property
    def base64(self) -> str:
        """Return the bytes in base64."""
        return b64encode(self.data).decode()


def seed_of(*parts: object) -> str:
    """Return the seed of a file: equal parts give the same file."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def picture_name(seed: str, width: int, height: int, kind: str, given: int = 0) -> str:
    """Return the name of a picture made from so many others."""
    width, height = pictures.fit(width, height)
    of = f"-of-{min(given, pictures.MAX_MARKS)}" if given else ""
    return f"{seed}-{width}x{height}{of}.{kind}"


def timed_name(seed: str, seconds: float, kind: str) -> str:
    """Return the name of a sound or a video, a minute long at most."""
    return f"{seed}-{round(1000 * min(max(seconds, 0.1), sounds.MAX_SECONDS))}.{kind}"


def make_file(name: str) -> StubFile:
    """Return the file of that name. Raises StubRefused (404) for an unknown name."""
    parts = _NAME.fullmatch(name)
    if parts is None or (parts["ms"] is None) != (parts["kind"] in pictures.FORMATS):
        raise StubRefused(404, "(stub) There is no such file.")
    return StubFile(data=_made(parts), content_type=CONTENT_TYPES[parts["kind"]])


def _made(parts: re.Match[str]) -> bytes:
    if parts["ms"] is None:
        size = pictures.fit(int(parts["width"]), int(parts["height"]))
        return pictures.draw(parts["seed"], *size, parts["kind"], int(parts["given"] or 0))
    make = sounds.play if parts["kind"] == "wav" else videos.film
    return make(parts["seed"], min(max(int(parts["ms"]), 100), round(1000 * sounds.MAX_SECONDS)))
