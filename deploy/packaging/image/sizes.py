"""Sizes of the parts of an image."""

import gzip
import tarfile
from collections.abc import Iterator
from pathlib import Path

MB = 1_000_000
PACKAGES = "opt/headrace/lib/python*/site-packages"
OWN = frozenset({"engine", "gateway", "workers", "deploy"})
GROUPED_BELOW = 3 * MB
"""Packages smaller than this are one line together."""


def part_sizes(root: Path) -> dict[str, int]:
    """Return bytes of files by part, largest first."""
    sizes = {
        "Debian: Python": _bytes(root, "usr/bin/python3*", "usr/lib/python3*"),
        "Debian: libraries and settings": _bytes(root, "usr", "etc", "var"),
    }
    sizes["Debian: libraries and settings"] -= sizes["Debian: Python"]
    others = 0
    for name, size in _packages(root).items():
        if size < GROUPED_BELOW and name != "Headrace":
            others += size
        else:
            sizes[name] = size
    sizes["other packages"] = others
    return dict(sorted(sizes.items(), key=lambda each: -each[1]))


def _packages(root: Path) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for path in root.glob(f"{PACKAGES}/*"):
        name = path.name.partition(".")[0].removesuffix("_binary")
        if path.name in OWN or name.startswith("headrace"):
            name = "Headrace"
        elif name in ("PIL", "pillow"):
            name = "pillow"
        sizes[name] = sizes.get(name, 0) + _size(path)
    return sizes


def _bytes(root: Path, *patterns: str) -> int:
    return sum(_size(path) for pattern in patterns for path in root.glob(pattern))


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(each.lstat().st_size for each in files if each.is_file() and not each.is_symlink())


def compressed_size(root: Path) -> int:
    """Return about how many bytes are sent when an image is fetched."""
    counted = _Counter()
    with (
        gzip.GzipFile(fileobj=counted, mode="wb", compresslevel=6) as compressed,
        tarfile.open(fileobj=compressed, mode="w|") as archive,
    ):
        archive.add(root, "")
    return counted.bytes


class _Counter:
    """A file that counts what is written."""

    def __init__(self) -> None:
        self.bytes = 0

    def write(self, data: bytes) -> int:
        self.bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: all is counted."""


def table(root: Path) -> Iterator[str]:
    """Yield lines about the sizes of an image."""
    sizes = part_sizes(root)
    for name, size in sizes.items():
        yield f"{size / MB:7.1f} MB  {name}"
    compressed = compressed_size(root) / MB
    yield f"{sum(sizes.values()) / MB:7.1f} MB  all, {compressed:.0f} MB of it compressed"
