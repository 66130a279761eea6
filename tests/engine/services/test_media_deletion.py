"""Deletion of media: bytes and record are removed, whichever process dies between."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from engine.errors import AssetNotFound, EngineError, StorageFailed
from engine.ids.partitions import partition_of
from engine.media.documents.types import PDF
from engine.media.links import MAX_PAGE, WIDTHS
from engine.media.objects import ObjectStore
from engine.media.pictures.store import picture_key
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Asset, Store
from engine.store.media import AssetSource
from engine.store.redis import keyspace
from tests.support.documents.samples import pdf
from tests.support.http.s3_server import BUCKET, S3Server
from tests.support.media import files
from tests.support.store.redis_contents import contents


@pytest.fixture(params=["folder", "bucket"])
def media_url(
    request: pytest.FixtureRequest,
    server: S3Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/deleted" if request.param == "bucket" else tmp_path.as_uri() + "/media"


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def keep(media_service: MediaService, account: Account, data: bytes) -> Asset:
    return await media_service.save(
        account.id, "image/png", pieces(data), source=AssetSource.UPLOAD
    )


async def stored(url: str) -> list[str]:
    """Return the names of all stored objects."""
    return [name async for names in ObjectStore(url).names("") for name in names]


async def let_pass(store: Store, asset_id: str) -> None:
    due = keyspace.assets_due(partition_of(asset_id))
    await store.client.send("ZADD", due, "XX", 1, asset_id)


async def assert_nothing_is_left(store: Store, url: str) -> None:
    found = [key for key in await contents(store.client) if b"asset" in key or b"media" in key]
    assert (found, await stored(url)) == ([], [])


async def test_the_bytes_go_at_once_and_the_record_with_the_next_look(
    settings: Settings, account: Account, store: Store, media_url: str
) -> None:
    media_service = MediaService.from_settings(replace(settings, media_url=media_url), store)
    asset = await keep(media_service, account, files.picture("PNG", 300, 200))
    url = media_service.link(asset)
    await media_service.picture(asset, 64)

    await media_service.delete(account.id, asset.id)

    assert await stored(media_url) == []
    for asking in (
        media_service.get(account.id, asset.id),
        media_service.find(url),
        media_service.stream(asset),
    ):
        with pytest.raises(AssetNotFound):
            await asking
    with pytest.raises(AssetNotFound):
        await media_service.follow(asset.id, dict(parse_qsl(urlsplit(url).query)))
    await let_pass(store, asset.id)
    await media_service.collect()
    await assert_nothing_is_left(store, media_url)


async def test_a_smaller_picture_that_is_made_meanwhile_goes_with_the_record(
    settings: Settings, account: Account, store: Store, media_url: str
) -> None:
    media_service = MediaService.from_settings(replace(settings, media_url=media_url), store)
    asset = await keep(media_service, account, files.picture("PNG", 300, 200))
    made = await media_service.picture(asset, 64)
    await media_service.delete(account.id, asset.id)
    await ObjectStore(media_url).put(f"{asset.id[:2]}/{asset.id}.64.webp", made)

    await let_pass(store, asset.id)
    await media_service.collect()

    await assert_nothing_is_left(store, media_url)


async def test_pictures_of_pages_go_with_their_document(
    settings: Settings, account: Account, store: Store, media_url: str
) -> None:
    media_service = MediaService.from_settings(replace(settings, media_url=media_url), store)
    asset = await media_service.save(
        account.id, PDF, pieces(pdf("One", "Two")), source=AssetSource.UPLOAD
    )
    for page in (1, 2):
        await media_service.picture(asset, 64, page)
    assert len(await stored(media_url)) == 3

    await media_service.delete(account.id, asset.id)
    assert await stored(media_url) == []
    late = [picture_key(asset.id, WIDTHS[-1], MAX_PAGE), picture_key(asset.id, 64)]
    for key in late:
        await ObjectStore(media_url).put(key, b"drawn meanwhile")
    await let_pass(store, asset.id)
    await media_service.collect()

    await assert_nothing_is_left(store, media_url)


class FailingObjectStore(ObjectStore):
    """Object store that dies at a step, before or after a removal."""

    def __init__(self, url: str, dice: random.Random) -> None:
        super().__init__(url)
        self._dice = dice

    async def delete(self, *keys: str) -> None:
        for is_done in (False, True):
            if is_done:
                await super().delete(*keys)
            if self._dice.random() < 0.3:
                raise self._dice.choice([StorageFailed(), asyncio.CancelledError()])


async def test_whoever_dies_between_record_and_bytes_leaves_nothing_that_counts_or_stays(
    settings: Settings, account: Account, store: Store, media_url: str
) -> None:
    media_service = MediaService.from_settings(replace(settings, media_url=media_url), store)
    media_service._objects = FailingObjectStore(media_url, random.Random(5))
    made = [await keep(media_service, account, files.png()) for _ in range(20)]
    deaths = 0

    for asset in made[:15]:
        try:
            await media_service.delete(account.id, asset.id)
        except asyncio.CancelledError:
            deaths += 1
    left = await stored(media_url)
    page = await media_service.page(account.id, limit=50)
    for _ in range(40):
        for asset in made[:15]:
            await let_pass(store, asset.id)
        try:
            await media_service.collect()
        except (StorageFailed, asyncio.CancelledError):
            continue

    assert deaths > 2
    assert len(left) > 5
    assert {asset.id for asset in page.assets} == {asset.id for asset in made[15:]}
    assert page.stored == sum(asset.bytes for asset in made[15:])
    assert {name.rpartition("/")[2] for name in await stored(media_url)} == {
        asset.id for asset in made[15:]
    }
    records = [key for key in await contents(store.client) if b":asset:" in key]
    assert len(records) == 5


async def test_who_reads_it_when_it_is_deleted_reads_on(
    settings: Settings, account: Account, store: Store
) -> None:
    media_service = MediaService.from_settings(settings, store)
    sound = files.wav(4_000, 200_000)
    asset = await media_service.save(
        account.id, "audio/wav", pieces(sound), source=AssetSource.UPLOAD
    )
    reading = await media_service.stream(asset)
    first = await anext(aiter(reading))

    await media_service.delete(account.id, asset.id)

    rest = b"".join([piece async for piece in reading])
    assert first + rest == sound


async def test_a_place_that_does_not_answer_holds_nobody_up_who_deletes(
    settings: Settings, account: Account, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    owned = MediaService.from_settings(settings, store)
    asset = await keep(owned, account, files.png())
    monkeypatch.setattr("obstore.delete_async", never)
    monkeypatch.setattr("engine.services.media.REMOVAL_SECONDS", 0.05)
    began = time.monotonic()

    await owned.delete(account.id, asset.id)

    assert time.monotonic() - began < 20
    assert await store.assets.stored(account.id) == 0
    monkeypatch.undo()
    await let_pass(store, asset.id)
    await owned.collect()
    assert not [key for key in await contents(store.client) if b"asset" in key]


async def test_without_a_place_for_media_what_is_left_of_them_can_be_deleted(
    settings: Settings, account: Account, store: Store
) -> None:
    asset = await keep(MediaService.from_settings(settings, store), account, files.png())

    await MediaService.from_settings(replace(settings, media_url=""), store).delete(
        account.id, asset.id
    )

    with pytest.raises(EngineError):
        await store.assets.find(asset.id)
