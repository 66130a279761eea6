"""A media folder preserves free space on its file system."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from engine.errors import StorageFailed
from engine.media import disk as media_disk
from engine.media.objects import PIECE_BYTES, ObjectStore
from tests.support.media.disk import GIB, Disk

MIB = 1_048_576


async def pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65_536):
        yield bytes(65_536)


PUTS: dict[str, Callable[[ObjectStore], Awaitable[object]]] = {
    "a large output": lambda objects: objects.write("outputs/c", b"x"),
    "a thumbnail": lambda objects: objects.put("ab/c", b"x"),
    "a small file": lambda objects: objects.put_stream("ab/c", pieces(65_536)),
    "a file of one part": lambda objects: objects.put_stream("ab/c", pieces(PIECE_BYTES)),
    "a large file": lambda objects: objects.put_stream("ab/c", pieces(4 * PIECE_BYTES)),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "media"


@pytest.fixture
def objects(folder: Path) -> ObjectStore:
    return ObjectStore(folder.as_uri(), GIB)


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("put", PUTS)
async def test_nothing_is_stored_where_the_room_is_to_stay_free(
    objects: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch, put: str
) -> None:
    Disk(monkeypatch, free=GIB)

    with pytest.raises(StorageFailed) as refused:
        await PUTS[put](objects)
    with pytest.raises(StorageFailed):
        await objects.require_space()

    assert refused.value.message == "There is no room left to store media and large outputs"
    assert files_in(folder) == []


@pytest.mark.parametrize("put", PUTS)
async def test_what_there_is_room_for_is_stored(
    objects: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch, put: str
) -> None:
    Disk(monkeypatch, free=GIB + 2 * MIB)

    await objects.require_space()
    await PUTS[put](objects)

    assert files_in(folder) == ["c"]


async def test_what_was_stored_is_read_and_removed_without_room(
    objects: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.media.disk.CHECK_SECONDS", 0)
    disk = Disk(monkeypatch, free=2 * GIB)
    await objects.put("ab/c", b"x")
    disk.free = 0

    data = await objects.read("ab/c")
    await objects.delete("ab/c")

    assert (data, files_in(folder)) == (b"x", [])


async def test_a_file_that_takes_the_last_room_while_it_comes_is_cut_off_and_leaves_nothing(
    objects: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Disk(monkeypatch, free=GIB + MIB)

    with pytest.raises(StorageFailed, match="no room left"):
        await objects.put_stream("ab/c", pieces(2 * MIB))

    assert files_in(folder) == []


async def test_the_system_is_asked_once_a_second_at_most(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.media.disk.CHECK_SECONDS", 60)
    disk = Disk(monkeypatch, free=GIB + 10)

    for number in range(10):
        await objects.put(f"ab/{number}", b"x")
    with pytest.raises(StorageFailed):
        await objects.put("ab/c", b"x")

    assert disk.looks == 1


async def test_room_that_is_made_is_used(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.media.disk.CHECK_SECONDS", 0)
    disk = Disk(monkeypatch, free=0)
    with pytest.raises(StorageFailed):
        await objects.put("ab/c", b"x")
    disk.free = 2 * GIB

    assert await objects.put("ab/c", b"x")


async def test_no_more_than_a_quarter_of_a_small_disk_stays_free(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    Disk(monkeypatch, free=GIB // 4 + 1, size=GIB)

    disk = await objects.disk()

    assert disk == media_disk.Disk(free_bytes=GIB // 4 + 1, kept_bytes=GIB // 4)
    assert await objects.put("ab/c", b"x")


async def test_who_keeps_nothing_free_fills_the_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch, free=0)

    assert await ObjectStore(folder.as_uri()).put("ab/c", b"x")
    assert disk.looks == 0


async def test_a_disk_that_cannot_be_asked_takes_nothing(
    objects: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise OSError(5, "Input/output error", "/secret/place")

    monkeypatch.setattr(os, "statvfs", broken)

    with pytest.raises(StorageFailed) as refused:
        await objects.put("ab/c", b"x")

    assert "secret" not in refused.value.message
    assert files_in(folder) == []


async def test_a_bucket_has_no_room_to_look_at() -> None:
    assert await ObjectStore("s3://media/x", GIB).disk() is None
