"""Files of the built pages with their compressed forms, mapped into memory.

They stay readable after an upgrade has replaced them, and take memory only once they are read.
"""

import mimetypes
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

STATIC = Path(__file__).parent / "static"
"""Written by `gateway/ui/build_pages.py`; missing where the pages could not be built."""
INDEX = "index.html"
ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""Suffixes of compressed forms, the smallest first."""
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
TEXTUAL = frozenset(TYPES.values())
Contents = bytes | mmap.mmap


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file under a name that changes with its content."""

    content: Contents
    media_type: str
    encoded: Mapping[str, Contents]
    """Compressed forms by their encoding."""

    def choose(self, accepted: str) -> tuple[bytes, str | None]:
        """Return the smallest form that an Accept-Encoding header allows, and its encoding."""
        offers = [each.partition(";") for each in accepted.lower().replace(" ", "").split(",")]
        names = {name for name, _, weight in offers if weight not in {"q=0", "q=0.0"}}
        for encoding, body in self.encoded.items():
            if encoding in names:
                return body[:], encoding
        return self.content[:], None


@dataclass(frozen=True, slots=True)
class PageFiles:
    """The built pages: one HTML document and the files that it loads."""

    index: str | None
    """None: the pages were not built."""
    files: Mapping[str, PageFile]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the files of a folder, which may be missing."""
        index = folder / INDEX
        if not index.is_file():
            return cls(None, {})
        names = {path.name for path in folder.iterdir() if path.suffix in {*TYPES, ".woff2"}}
        files = {name: _read(folder / name) for name in names}
        return cls(index.read_text(encoding="utf-8"), files)


def _read(path: Path) -> PageFile:
    media_type = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    encoded = {
        encoding: _map(compressed)
        for encoding, suffix in ENCODINGS.items()
        if (compressed := path.with_name(path.name + suffix)).is_file()
    }
    return PageFile(_map(path), media_type or "application/octet-stream", encoded)


def _map(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
