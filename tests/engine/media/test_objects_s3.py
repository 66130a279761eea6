"""Object store in a bucket of a real S3 server, which behaves like a folder."""

import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import AssetNotFound, StorageFailed
from engine.ids.partitions import partition_of
from engine.media.objects import PART_BYTES, ObjectStore
from engine.media.ranges import ByteRange
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Asset, Store
from engine.store.media import AssetSource
from engine.store.redis import keyspace
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.http.s3_server import BUCKET, S3Server
from tests.support.media import files

URL = f"s3://{BUCKET}/of-headrace"


@pytest.fixture(autouse=True)
def environ(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)


async def pieces(data: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 65_536):
        yield data[start : start + 65_536]
    if then is not None:
        raise then


async def read(objects: ObjectStore, key: str, part: ByteRange | None = None) -> bytes:
    return b"".join([piece async for piece in await objects.stream(key, part)])


@pytest.mark.parametrize("size", [11, 2 * PART_BYTES + 11])
async def test_what_is_put_comes_back_and_goes(size: int) -> None:
    objects, data, key = ObjectStore(URL), bytes(range(256)) * (size // 256 + 1), f"ab/{size}"

    await objects.put_stream(key, pieces(data))

    assert await read(objects, key) == data
    assert await read(objects, key, ByteRange(5, 9)) == data[5:9]
    assert not await objects.put(key, b"another")
    await objects.delete(key, "ab/never")
    with pytest.raises(FileNotFoundError):
        await objects.stream(key)


@pytest.mark.parametrize("size", [11, 2 * PART_BYTES])
async def test_nothing_is_seen_of_what_broke_off(size: int) -> None:
    objects = ObjectStore(URL)

    with pytest.raises(RuntimeError, match="hung up"):
        await objects.put_stream("ab/broken", pieces(b"x" * size, RuntimeError("hung up")))

    with pytest.raises(FileNotFoundError):
        await objects.stream("ab/broken")


async def test_who_may_not_is_told_without_names_or_secrets(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret-altogether")

    with pytest.raises(StorageFailed) as failed:
        await ObjectStore(URL).check()

    assert BUCKET not in failed.value.message
    assert "another-secret" not in caplog.text + repr([vars(each) for each in caplog.records])


async def test_a_server_that_is_gone_is_a_failure_of_storage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    with pytest.raises(StorageFailed):
        await ObjectStore(URL).check()


async def life(media_service: MediaService, account: Account, store: Store) -> None:
    """Store, read, thumbnail and delete an asset."""
    data = files.picture("PNG", 500, 400)
    asset: Asset = await media_service.save(
        account.id, "image/png", pieces(data), source=AssetSource.UPLOAD
    )
    assert b"".join([piece async for piece in await media_service.stream(asset)]) == data
    assert (await media_service.picture(asset, 64))[8:12] == b"WEBP"
    due = keyspace.assets_due(partition_of(asset.id))
    for _ in range(2):
        await store.client.send("ZADD", due, 1, asset.id)
        await media_service.collect()
    with pytest.raises(AssetNotFound):
        await media_service.stream(asset)


async def test_from_a_folder_to_a_bucket_is_one_setting(
    settings: Settings, store: Store, account: Account, tmp_path: Path
) -> None:
    for url in (tmp_path.as_uri(), URL):
        media_service = MediaService.from_settings(replace(settings, media_url=url), store)
        await life(media_service, account, store)


def test_nobody_reads_the_bucket_without_a_signature(server: S3Server) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{server.url}/{BUCKET}/of-headrace/ab/x", timeout=PATIENCE_SECONDS)

    assert refused.value.code == 403
    refused.value.close()


async def test_all_below_a_prefix_is_listed_and_removed_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.media.objects.LISTED_AT_ONCE", 2)
    objects = ObjectStore(URL)
    for key in ("out/a/1", "out/a/2", "out/a/3", "out/aa/1"):
        await objects.write(key, b"first")
        await objects.write(key, b"second")

    names = [name async for some in objects.names("out/") for name in some]
    await objects.remove_all("out/a/")
    await objects.remove_all("out/never/")

    assert sorted(names) == ["out/a/1", "out/a/2", "out/a/3", "out/aa/1"]
    assert [some async for some in objects.names("out/")] == [["out/aa/1"]]
    assert await objects.read("out/aa/1") == b"second"


async def test_a_large_object_is_written_at_once_and_read_whole() -> None:
    objects, data = ObjectStore(URL), bytes(range(256)) * 40_000

    await objects.write("out/large", data)

    assert await objects.read("out/large") == data
