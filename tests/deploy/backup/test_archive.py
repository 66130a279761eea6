"""Files of backups: whole or refused, and readable by their owner alone."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from deploy.backup.archive import create_archive, open_archive_file
from deploy.backup.manifest import FORMAT, NAME, Manifest, MediaPart
from deploy.output.problems import CommandFailed

PART = "redis/0.rdb"
DATA = os.urandom(600_000)


def manifest(**fields: object) -> Manifest:
    """Return a manifest without parts, with some fields changed."""
    known = {
        "format": FORMAT,
        "headrace": "0.1.0",
        "takenAt": "2026-11-30T12:00:00.000Z",
        "installationIds": ["a"],
        "schemaVersion": 2,
        "partitions": 16,
        "redis": [],
        "history": None,
        "media": msgspec.to_builtins(MediaPart(objects=0, bytes=0)),
        "parts": {},
    }
    return msgspec.convert(known | fields, Manifest)


def write(path: Path, **fields: object) -> None:
    with create_archive(path) as archive:
        with archive.part(PART) as part:
            for start in range(0, len(DATA), 100_000):
                part.write(DATA[start : start + 100_000])
        facts = msgspec.to_builtins(archive.parts)
        archive.finish(manifest(**({"parts": facts} | fields)))


def test_a_file_gives_back_its_parts_and_its_manifest(tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    write(path, partitions=32)

    with open_archive_file(path) as archive:
        archive.verify()
        assert b"".join(archive.pieces(PART)) == DATA
        assert archive.manifest.partitions == 32
        assert archive.manifest.parts[PART].bytes == len(DATA)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["backup.zip"]


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    path.write_text("mine")

    with pytest.raises(CommandFailed, match="exists already"):
        write(path)
    assert path.read_text() == "mine"


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError),
        create_archive(tmp_path / "backup.zip") as archive,
        archive.part(PART) as part,
    ):
        part.write(DATA)
        raise RuntimeError

    assert list(tmp_path.iterdir()) == []


def damage(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_file_without_its_end_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "backup.zip"
    write(path)
    damage(path, lambda data: data[: int(len(data) * share)])

    with (
        pytest.raises(CommandFailed, match="not a backup of Headrace, or its end is missing"),
        open_archive_file(path),
    ):
        pass


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    write(path)
    damage(path, lambda data: data[:300_000] + bytes([data[300_000] ^ 1]) + data[300_001:])

    with (
        open_archive_file(path) as archive,
        pytest.raises(CommandFailed, match="damaged: redis/0.rdb"),
    ):
        archive.verify()


def test_a_part_that_was_exchanged_is_found_by_its_digest(tmp_path: Path) -> None:
    path, exchanged = tmp_path / "backup.zip", tmp_path / "exchanged.zip"
    write(path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(exchanged, "w") as new:
        new.writestr(PART, b"x" * len(DATA))
        new.writestr(NAME, old.read(NAME))

    with (
        open_archive_file(exchanged) as archive,
        pytest.raises(CommandFailed, match="redis/0.rdb is not as it was written"),
    ):
        archive.verify()


def test_a_newer_format_is_refused_whatever_else_it_says(tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(NAME, b'{"format": 2, "unknown": true}')

    with (
        pytest.raises(CommandFailed, match=r"newer Headrace \(format 2, known here: 1\)"),
        open_archive_file(path),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("other.txt", b"", "a zip file, but no backup"),
        (NAME, b'{"format": 1}', "its manifest cannot be read"),
        (NAME, b"{", "its manifest cannot be read"),
    ],
)
def test_another_zip_file_is_refused(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / "backup.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(name, content)

    with pytest.raises(CommandFailed, match=reason), open_archive_file(path):
        pass


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), open_archive_file(tmp_path / "none.zip"):
        pass
