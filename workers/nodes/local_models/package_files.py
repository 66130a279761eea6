"""Files of installed packages that are believed by their SHA-256 alone."""

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from engine.errors.nodes import NodeFailed

NOT_INSTALLED = "not_installed"
BYTECODE = "__pycache__"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFile:
    """A package, one of its files, and the SHA-256 of the file; no code of the package is run."""

    package: str
    name: str
    sha256: str

    def find(self, missing: str) -> Path:
        """Return the path. Raises NodeFailed, with `missing` where the package is not installed."""
        path, _ = self._read(missing)
        return path

    def read(self, missing: str) -> bytes:
        """Return the content. Raises NodeFailed like `find`."""
        _, content = self._read(missing)
        return content

    def _read(self, missing: str) -> tuple[Path, bytes]:
        for file in _files(self.package):
            if file.name == self.name:
                path = Path(str(file.locate()))
                content = path.read_bytes()
                if hashlib.sha256(content).hexdigest() != self.sha256:
                    raise _another(f"{self.name} of the package {self.package}")
                return path, content
        raise NodeFailed(NOT_INSTALLED, missing)


def check_package(package: str, folder: str, sha256: str, missing: str) -> None:
    """Compare all files of a package's folder, code and data, with one SHA-256 before its import.

    Raises NodeFailed, with `missing` where the package is not installed.
    """
    files = [
        file for file in _files(package) if file.parts[0] == folder and BYTECODE not in file.parts
    ]
    if not files:
        raise NodeFailed(NOT_INSTALLED, missing)
    digest = hashlib.sha256()
    for file in sorted(files, key=str):
        content = Path(str(file.locate())).read_bytes()
        digest.update(f"{file} {hashlib.sha256(content).hexdigest()}\n".encode())
    if digest.hexdigest() != sha256:
        raise _another(f"the package {package}")


def _files(package: str) -> list[metadata.PackagePath]:
    try:
        return metadata.distribution(package).files or []
    except metadata.PackageNotFoundError:
        return []


def _another(what: str) -> NodeFailed:
    return NodeFailed(NOT_INSTALLED, f"{what[0].upper()}{what[1:]} is not the one that is known")
