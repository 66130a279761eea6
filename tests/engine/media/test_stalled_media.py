"""A media store that does not answer: writers and readers get an error in time."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StorageStalled
from engine.ids.partitions import partition_of
from engine.media import objects
from engine.media.objects import PIECE_BYTES, ObjectStore
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.media import GIVEN_UP_MS, AssetSource
from engine.store.redis import keyspace
from tests.support.media import files
from tests.support.store.redis_contents import contents

SMALL, LARGE = 1, 3 * PIECE_BYTES // 65_536
STALL_SECONDS = 0.15


class Disk:
    """System calls that hang until the disk is healed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._is_well = threading.Event()
        self.waiting = 0

    def hang(self, owner: object, name: str) -> None:
        """Let one call hang."""
        real = getattr(owner, name)

        def hanging(*args: Any, **options: Any) -> Any:
            self.waiting += 1
            self._is_well.wait(30)
            return real(*args, **options)

        self._monkeypatch.setattr(owner, name, hanging)

    def heal(self) -> None:
        """Let all calls return."""
        self._is_well.set()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(objects, "STALL_SECONDS", STALL_SECONDS)
    return Disk(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> ObjectStore:
    return ObjectStore((tmp_path / "media").as_uri())


async def pieces(times: int, slow: Collection[int] = (), pause: float = 0) -> AsyncIterator[bytes]:
    for number in range(times):
        if number in slow:
            await asyncio.sleep(pause)
        yield b"0123456789abcdef" * 4_096


@pytest.mark.parametrize("times", [SMALL, LARGE])
@pytest.mark.parametrize("call", [(objects, "check_path"), (os, "fsync")], ids=lambda call: call[1])
async def test_a_folder_that_hangs_is_waited_for_a_while(
    folder: ObjectStore, disk: Disk, call: tuple[object, str], times: int
) -> None:
    disk.hang(*call)
    began = time.monotonic()

    with pytest.raises(StorageStalled) as failed:
        await folder.put_stream("ab/c", pieces(times))

    took, waiting = time.monotonic() - began, disk.waiting
    disk.heal()  # threads that hang are waited for when the loop is closed
    assert STALL_SECONDS <= took < STALL_SECONDS + 10
    assert (failed.value.code, waiting > 0) == ("UNAVAILABLE", True)
    assert failed.value.retry_after_seconds


async def streamed(folder: ObjectStore) -> None:
    async for _ in await folder.stream("ab/c"):
        pass


async def read(folder: ObjectStore) -> None:
    await folder.read("ab/c")


async def put(folder: ObjectStore) -> None:
    await folder.put("ab/d", b"d")


@pytest.mark.parametrize(
    ("work", "call"),
    [
        (streamed, (objects, "open_file")),
        (streamed, (os, "pread")),
        (read, (objects, "read_file")),
        (read, (os, "pread")),
        (put, (objects, "check_path")),
    ],
    ids=lambda part: part[1] if isinstance(part, tuple) else part.__name__,
)
async def test_a_folder_that_hangs_when_it_is_read_is_waited_for_a_while(
    folder: ObjectStore,
    disk: Disk,
    work: Callable[[ObjectStore], Awaitable[None]],
    call: tuple[object, str],
) -> None:
    await folder.put_stream("ab/c", pieces(LARGE))
    disk.hang(*call)
    began = time.monotonic()

    with pytest.raises(StorageStalled):
        await asyncio.wait_for(work(folder), STALL_SECONDS + 10)

    took, waiting = time.monotonic() - began, disk.waiting
    disk.heal()
    assert took >= STALL_SECONDS
    assert waiting == 1


async def test_whoever_reads_slowly_is_waited_for(
    folder: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await folder.put_stream("ab/c", pieces(LARGE))
    monkeypatch.setattr(objects, "STALL_SECONDS", 1.0)

    got = b""
    async for piece in await folder.stream("ab/c"):
        await asyncio.sleep(0 if got else 1.5)
        got += piece

    assert len(got) == LARGE * 65_536


async def test_a_bucket_that_stops_in_the_middle_of_an_object_is_waited_for_a_while(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Got:
        async def _pieces(self) -> AsyncIterator[bytes]:
            yield b"first"
            await asyncio.Event().wait()

        def stream(self, **options: Any) -> AsyncIterator[bytes]:
            return self._pieces()

    async def get(store: Any, key: str, **options: Any) -> Got:
        return Got()

    monkeypatch.setattr("obstore.get_async", get)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    got = await ObjectStore("s3://media/x").stream("ab/c")

    assert await anext(got) == b"first"
    with pytest.raises(StorageStalled):
        await asyncio.wait_for(anext(got), STALL_SECONDS + 10)


@pytest.mark.parametrize("taken", [0, 1, 3])
async def test_a_place_that_takes_no_more_pieces_is_waited_for_a_while(
    folder: ObjectStore, disk: Disk, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    async def put(store: Any, key: str, data: AsyncIterator[bytes], **options: Any) -> None:
        for _ in range(taken):
            await anext(data)
        await asyncio.Event().wait()

    monkeypatch.setattr("obstore.put_async", put)

    with pytest.raises(StorageStalled):
        await folder.put_stream("ab/c", pieces(LARGE))


async def test_a_folder_that_hangs_keeps_no_thread_from_others(
    folder: ObjectStore, disk: Disk
) -> None:
    disk.hang(os, "fsync")
    storing = [
        asyncio.create_task(folder.put_stream(f"ab/{number}", pieces(SMALL)))
        for number in range(40)
    ]
    await asyncio.wait(storing)

    done = await asyncio.wait_for(asyncio.to_thread(sum, [1, 2]), 10)

    disk.heal()
    assert done == 3
    assert {type(each.exception()) for each in storing} == {StorageStalled}


async def test_what_comes_slowly_is_stored(
    folder: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "STALL_SECONDS", 2.0)
    first_of_the_rest = PIECE_BYTES // 65_536

    await folder.put_stream(
        "ab/c", pieces(LARGE, slow={first_of_the_rest, first_of_the_rest + 2}, pause=2.2)
    )

    assert len(await folder.read("ab/c")) == LARGE * 65_536


async def test_what_was_stored_after_all_goes_when_it_would_be_given_up(
    settings: Settings,
    store: Store,
    account: Account,
    disk: Disk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    media_service = MediaService.from_settings(
        replace(settings, media_url=(tmp_path / "media").as_uri()), store
    )
    monkeypatch.setattr(objects, "STALL_SECONDS", 2.0)
    disk.hang(os, "fsync")
    with pytest.raises(StorageStalled):
        await media_service.save(
            account.id, "image/png", one(files.png()), source=AssetSource.UPLOAD
        )
    disk.heal()

    [asset_id] = [path.name for path in (tmp_path / "media").rglob("*") if path.is_file()]
    now = await store.leases.now()
    early = await store.assets.due(now + GIVEN_UP_MS // 2, 9)
    late = await store.assets.due(now + GIVEN_UP_MS, 9)
    due = keyspace.assets_due(partition_of(asset_id))
    for _ in range(2):
        await store.client.send("ZADD", due, "XX", 1, asset_id)
        await media_service.collect()

    assert (early, late) == ([], [asset_id])
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]
    assert not [key for key in await contents(store.client) if b"asset" in key or b"media" in key]


async def one(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def test_a_bucket_that_does_not_answer_is_waited_for_a_while(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(StorageStalled):
        await ObjectStore("s3://media/x").put_stream("ab/c", pieces(SMALL))
    with pytest.raises(StorageStalled):
        await ObjectStore("s3://media/x").stream("ab/c")

    silent.close()
