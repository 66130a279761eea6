"""File of a backup: a zip of parts, written and read in pieces, with a manifest as the last."""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from deploy.backup.manifest import FORMAT, NAME, Manifest, PartFacts
from deploy.output.problems import CommandFailed

PIECE_BYTES = 262_144
QUICKEST = 1
"""Compression that costs less time than a network; the history is compressed already."""

Report = Callable[[str, int], None]
"""Gets the name of a part and the bytes of it so far."""


def ignore_progress(_: str, __: int) -> None:
    """Default report: none."""


class PartWriter:
    """Part that is being written."""

    def __init__(self, name: str, stream: IO[bytes], report: Report) -> None:
        self._name = name
        self._stream = stream
        self._report = report
        self._digest = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes) -> None:
        """Append bytes. Raises OSError."""
        self._stream.write(data)
        self._digest.update(data)
        self.bytes += len(data)
        self._report(self._name, self.bytes)

    @property
    def facts(self) -> PartFacts:
        """Return size and digest of the bytes so far."""
        return PartFacts(bytes=self.bytes, sha256=self._digest.hexdigest())


class ArchiveWriter:
    """Writes parts one after another."""

    def __init__(self, file: IO[bytes], report: Report) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=QUICKEST)
        self._report = report
        self.parts: dict[str, PartFacts] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[PartWriter]:
        """Write one part while the context lasts."""
        with self._open(name) as stream:
            writer = PartWriter(name, stream, self._report)
            yield writer
        self.parts[name] = writer.facts

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest and the end of the file."""
        with self._open(NAME) as stream:
            stream.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
        self._zip.close()

    def close(self) -> None:
        """Release the file, finished or not."""
        with suppress(OSError, ValueError):
            self._zip.close()

    def _open(self, name: str) -> IO[bytes]:
        return self._zip.open(name, "w", force_zip64=True)


@contextmanager
def create_archive(path: Path, report: Report = ignore_progress) -> Iterator[ArchiveWriter]:
    """Write a file beside its place, for its owner alone, and put it there once it is whole.

    Raises CommandFailed if the place is taken, and OSError.
    """
    if path.exists():
        raise CommandFailed(f"{path} exists already: name another file.")
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            with closing(ArchiveWriter(file, report)) as archive:
                yield archive
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
        _flush_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ArchiveReader:
    """Reads the parts of a file whose manifest is known."""

    def __init__(self, path: Path, file: zipfile.ZipFile, manifest: Manifest) -> None:
        self._path = path
        self._zip = file
        self.manifest = manifest

    def verify(self, report: Report = ignore_progress) -> None:
        """Read all parts. Raises CommandFailed if one is not as it was written."""
        for name, expected in self.manifest.parts.items():
            digest, size = hashlib.sha256(), 0
            for piece in self.pieces(name):
                digest.update(piece)
                size += len(piece)
                report(name, size)
            if (size, digest.hexdigest()) != (expected.bytes, expected.sha256):
                raise _damaged(self._path, f"{name} is not as it was written")

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a part. Raises CommandFailed if it is damaged."""
        with self.open(name) as stream:
            while piece := stream.read(PIECE_BYTES):
                yield piece

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a part. Raises CommandFailed if it is missing, or damaged where it is read."""
        try:
            with self._zip.open(name) as stream:
                yield stream
        except KeyError:
            raise _damaged(self._path, f"{name} is missing") from None
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise _damaged(self._path, f"{name} cannot be read") from error


@contextmanager
def open_archive_file(path: Path) -> Iterator[ArchiveReader]:
    """Open a file that `create_archive` made. Raises CommandFailed for others, and OSError."""
    try:
        file = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise CommandFailed(f"{path} is not a backup of Headrace, or its end is missing.") from None
    with file:
        yield ArchiveReader(path, file, _read_manifest(path, file))


def _read_manifest(path: Path, file: zipfile.ZipFile) -> Manifest:
    try:
        data = file.read(NAME)
        made_with = msgspec.json.decode(data, type=dict[str, msgspec.Raw]).get("format", b"0")
        if msgspec.json.decode(made_with, type=int) > FORMAT:
            raise CommandFailed(
                f"{path} was written by a newer Headrace (format {bytes(made_with).decode()}, "
                f"known here: {FORMAT}): restore it with that version or a later one."
            )
        return msgspec.json.decode(data, type=Manifest)
    except KeyError:
        raise CommandFailed(f"{path} is a zip file, but no backup of Headrace.") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, msgspec.MsgspecError) as error:
        raise _damaged(path, "its manifest cannot be read") from error


def _damaged(path: Path, reason: str) -> CommandFailed:
    return CommandFailed(f"{path} is damaged: {reason}.")
