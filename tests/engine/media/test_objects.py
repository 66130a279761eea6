import asyncio
import errno
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.errors import StorageFailed
from engine.media.objects import PART_BYTES, ObjectStore
from engine.media.ranges import ByteRange
from engine.settings import SettingError


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore((tmp_path / "media").as_uri())


async def pieces(*, of: bytes, times: int, then: Exception | None = None) -> AsyncIterator[bytes]:
    for _ in range(times):
        yield of
    if then is not None:
        raise then


async def read(objects: ObjectStore, key: str, part: ByteRange | None = None) -> bytes:
    return b"".join([piece async for piece in await objects.stream(key, part)])


@pytest.mark.parametrize("times", [1, 2 * PART_BYTES // 65_536 + 1])
async def test_what_is_put_comes_back(objects: ObjectStore, times: int) -> None:
    await objects.put_stream("ab/c", pieces(of=b"0123456789abcdef" * 4_096, times=times))

    data = await read(objects, "ab/c")

    assert data == b"0123456789abcdef" * 4_096 * times
    assert await read(objects, "ab/c", ByteRange(10, 20)) == b"abcdef0123"


async def test_what_is_there_is_not_put_again(objects: ObjectStore) -> None:
    assert await objects.put("ab/c", b"first")

    assert not await objects.put("ab/c", b"second")
    assert await read(objects, "ab/c") == b"first"


async def test_a_stream_does_not_take_the_place_of_what_is_there(objects: ObjectStore) -> None:
    await objects.put("ab/c", b"first")

    with pytest.raises(StorageFailed):
        await objects.put_stream("ab/c", pieces(of=b"second", times=1))

    assert await read(objects, "ab/c") == b"first"


@pytest.mark.parametrize("times", [1, 200])
async def test_nothing_is_left_of_what_broke_off(
    objects: ObjectStore, tmp_path: Path, times: int
) -> None:
    with pytest.raises(RuntimeError, match="hung up"):
        source = pieces(of=b"x" * 65_536, times=times, then=RuntimeError("hung up"))
        await objects.put_stream("ab/c", source)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_what_is_cancelled_leaves_nothing(objects: ObjectStore, tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536
            await asyncio.sleep(0)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await objects.put_stream("ab/c", endless())

    await objects.delete("ab/c")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_deleting_removes_what_a_killed_process_left_too(
    objects: ObjectStore, tmp_path: Path
) -> None:
    await objects.put("ab/c", b"x")
    (tmp_path / "media/ab/c#1").write_bytes(b"half")
    (tmp_path / "media/ab/cd#1").write_bytes(b"another's")

    await objects.delete("ab/c", "ab/never")

    assert [path.name for path in (tmp_path / "media/ab").iterdir()] == ["cd#1"]


async def test_what_is_not_there_is_said_before_anything_is_sent(objects: ObjectStore) -> None:
    with pytest.raises(FileNotFoundError):
        await objects.stream("ab/c")


async def test_a_place_that_is_gone_is_a_failure_of_storage(
    objects: ObjectStore, tmp_path: Path
) -> None:
    await objects.check()
    shutil.rmtree(tmp_path / "media")
    (tmp_path / "media").write_text("no folder any more")

    with pytest.raises(StorageFailed):
        await objects.put("ab/c", b"x")
    with pytest.raises(StorageFailed) as failed:
        await objects.put_stream("ab/c", pieces(of=b"x" * 65_536, times=200))

    assert str(tmp_path) not in failed.value.message


async def test_a_source_that_fails_as_a_disk_would_is_not_the_places_fault(
    objects: ObjectStore,
) -> None:
    failure = OSError(errno.EIO, "the peer's")

    with pytest.raises(OSError, match="the peer's"):
        source = pieces(of=b"x" * 65_536, times=200, then=failure)
        await objects.put_stream("ab/c", source)


async def test_without_a_place_nothing_can_be_stored() -> None:
    objects = ObjectStore("")

    assert not objects.is_set
    with pytest.raises(StorageFailed, match="HEADRACE_MEDIA_URL"):
        await objects.put("ab/c", b"x")


@pytest.mark.parametrize(
    "url", ["/tmp/media", "http://x/y", "s3://", "file://host/x", "file:", "gs://b"]
)
def test_a_url_that_names_no_place_is_refused(url: str) -> None:
    with pytest.raises(SettingError, match="HEADRACE_MEDIA_URL"):
        ObjectStore(url)


async def test_what_is_written_takes_the_place_of_what_is_there(objects: ObjectStore) -> None:
    await objects.write("a/b/c", b"first")

    await objects.write("a/b/c", b"second")

    assert await objects.read("a/b/c") == b"second"
    assert await objects.read("a/b/c", 3) == b"sec"


async def test_all_below_a_folder_is_listed_and_removed_with_what_a_killed_process_left(
    objects: ObjectStore, tmp_path: Path
) -> None:
    for key in ("a/b/c", "a/b/d", "a/bb/c"):
        await objects.write(key, b"x")
    (tmp_path / "media/a/b/e#1").write_bytes(b"half")

    names = [sorted(some) async for some in objects.names("a/")]
    await objects.remove_all("a/b/")
    await objects.remove_all("a/never/")

    assert names == [["a/b/c", "a/b/d", "a/b/e#1", "a/bb/c"]]
    assert [some async for some in objects.names("a/")] == [["a/bb/c"]]


async def test_nothing_is_removed_or_read_behind_a_link(
    objects: ObjectStore, tmp_path: Path
) -> None:
    await objects.write("a/b/c", b"x")
    (tmp_path / "elsewhere/b").mkdir(parents=True)
    (tmp_path / "elsewhere/b/c").write_bytes(b"secret")
    (tmp_path / "media/l").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StorageFailed):
        await objects.remove_all("l/b/")
    with pytest.raises(StorageFailed):
        await objects.write("l/b/c", b"x")
    with pytest.raises(FileNotFoundError):
        await objects.read("l/b/c")

    assert (tmp_path / "elsewhere/b/c").read_bytes() == b"secret"
