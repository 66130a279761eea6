"""The file SHA256SUMS, as `sha256sum --check` reads it."""

import hashlib
from pathlib import Path

FILE = "SHA256SUMS"


def write_checksums(folder: Path) -> None:
    """Write the checksums of all files of a folder."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
        if path.name != FILE
    ]
    (folder / FILE).write_text("".join(lines), encoding="utf-8")


def read_checksums(folder: Path) -> dict[str, str]:
    """Return the checksum of each file that a folder's SHA256SUMS names; empty without one."""
    path = folder / FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
