"""Archive of the files with which operators run Headrace: Compose, Kubernetes, systemd, image."""

import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

PARTS = ("compose.yaml", "kubernetes", "systemd", "packaging/Containerfile")
"""Files and folders of `deploy/`, of which the archive has those that exist."""
BESIDE = ("LICENSE",)
FILE_MODE = 0o644
PROGRAM_MODE = 0o755


def write_deploy_archive(root: Path, target: Path, name: str, epoch: int) -> Path:
    """Write `NAME.tar.gz` with one folder NAME; its bytes depend on the files and `epoch` alone."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, place in sorted(find_files(root), key=lambda found: found[1]):
            member = tarfile.TarInfo(f"{name}/{place}")
            member.size = path.stat().st_size
            member.mtime = epoch
            member.mode = PROGRAM_MODE if path.stat().st_mode & 0o100 else FILE_MODE
            with path.open("rb") as content:
                archive.addfile(member, content)
    written = target / f"{name}.tar.gz"
    with (
        written.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=epoch) as zipped,
    ):
        zipped.write(buffer.getvalue())
    return written


def find_files(root: Path) -> Iterator[tuple[Path, str]]:
    """Return the files of the archive, each with its place in it."""
    for part in PARTS:
        path = root / "deploy" / part
        for found in [path] if path.is_file() else path.rglob("*"):
            if found.is_file():
                yield found, found.relative_to(root / "deploy").as_posix()
    for name in BESIDE:
        yield root / name, name
