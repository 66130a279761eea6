import asyncio
import io
import random
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from PIL import Image

from engine.errors import (
    AssetNotFound,
    BodyTooLarge,
    EngineError,
    StorageFailed,
    Unavailable,
    UnsupportedMediaType,
)
from engine.ids.partitions import partition_of
from engine.media.documents.types import PDF
from engine.media.formats import UNTYPED, MediaKind
from engine.media.objects import ObjectStore
from engine.media.ranges import ByteRange
from engine.services.media import MediaService, base_url
from engine.settings import Settings
from engine.store import Account, Asset, Store
from engine.store.media import AssetSource
from engine.store.redis import installation, keyspace
from engine.store.schema import FILES_SCHEMA
from tests.support.documents.samples import pdf
from tests.support.eventually import eventually
from tests.support.media import files
from tests.support.store.redis_contents import contents


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, media_url=(tmp_path / "media").as_uri(), max_asset_bytes=2_000_000)


@pytest.fixture
def media_service(settings: Settings, store: Store) -> MediaService:
    return MediaService.from_settings(settings, store)


async def pieces(data: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def keep(
    media_service: MediaService, account: Account, data: bytes, declared: str = "image/png"
) -> Asset:
    return await media_service.save(account.id, declared, pieces(data), source=AssetSource.UPLOAD)


async def read(media_service: MediaService, asset: Asset, part: ByteRange | None = None) -> bytes:
    return b"".join([piece async for piece in await media_service.stream(asset, part)])


def stored(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "media").rglob("*") if path.is_file())


async def let_pass(store: Store, asset_id: str) -> None:
    partition = partition_of(asset_id)
    await store.client.send("ZADD", keyspace.assets_due(partition), "XX", 1, asset_id)


async def collect_all(media_service: MediaService, store: Store, asset_id: str) -> None:
    for _ in range(2):
        await let_pass(store, asset_id)
        await media_service.collect()


async def test_a_file_that_is_kept_comes_back(
    media_service: MediaService, account: Account
) -> None:
    data = files.png()

    asset = await keep(media_service, account, data)

    assert (asset.content_type, asset.bytes, asset.width) == ("image/png", len(data), 40)
    assert await read(media_service, asset) == data
    assert await read(media_service, asset, ByteRange(1, 4)) == b"PNG"


async def test_what_is_refused_leaves_nothing_behind(
    media_service: MediaService, account: Account, store: Store, tmp_path: Path
) -> None:
    for declared, data in files.wrong_files().values():
        with pytest.raises(UnsupportedMediaType):
            await keep(media_service, account, data, declared)
    with pytest.raises(BodyTooLarge):
        await keep(media_service, account, files.wav(3_000, 1_000_000), "audio/wav")
    with pytest.raises(UnsupportedMediaType):
        await media_service.save(
            *(account.id, "image/png", pieces(files.png())),
            source=AssetSource.PROVIDER,
            medium=MediaKind.VIDEO,
        )

    while await media_service.collect():
        for key in [key for key in await contents(store.client) if b":asset:" in key]:
            await let_pass(store, key.decode().rpartition(":")[2])

    assert stored(tmp_path) == []
    assert not [key for key in await contents(store.client) if b"asset" in key]


async def test_a_link_leads_to_the_asset_until_its_time_is_over(
    media_service: MediaService, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = await keep(media_service, account, files.png())
    url = media_service.link(asset)
    query = dict(parse_qsl(urlsplit(url).query))

    found, link = await media_service.follow(asset.id, query)

    assert (found, link.width) == (asset, None)
    assert await media_service.find(url) == asset
    assert media_service.is_own(url) and not media_service.is_own(
        "https://elsewhere.example/media/x.png"
    )
    with pytest.raises(AssetNotFound):
        await media_service.find(url + "0")
    with pytest.raises(AssetNotFound):
        await media_service.find(media_service.link(asset, width=64))
    later = time.time() + 86_401
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(AssetNotFound, match="expired"):
        await media_service.follow(asset.id, query)
    for reader in ("", "another"):
        with pytest.raises(AssetNotFound, match="expired"):
            await media_service.find(url, reader)
    assert await media_service.find(url, account.id) == asset, "its account needs no link"


async def test_a_link_of_a_run_outlives_its_wait_and_its_record(
    media_service: MediaService,
    settings: Settings,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asset = await keep(media_service, account, files.png())
    url = media_service.lasting_link(asset)
    days = 30 + settings.retention_days
    began = time.time()

    monkeypatch.setattr(time, "time", lambda: began + days * 86_400)
    assert await media_service.find(url) == asset
    monkeypatch.setattr(time, "time", lambda: began + (days + 1) * 86_400 + 10)
    with pytest.raises(AssetNotFound, match="expired"):
        await media_service.find(url)


async def test_an_execution_uses_what_is_its_accounts_only(
    media_service: MediaService, account: Account
) -> None:
    asset = await keep(media_service, account, files.png())

    used, url = await media_service.use(account.id, asset.id, "x")

    assert await media_service.find(url) == used == asset
    with pytest.raises(AssetNotFound):
        await media_service.use("another", asset.id, "x")


async def test_a_thumbnail_is_made_once(
    media_service: MediaService, account: Account, tmp_path: Path
) -> None:
    asset = await keep(media_service, account, files.picture("JPEG", 800, 400), "image/jpeg")

    made = await media_service.picture(asset, 128)
    (tmp_path / "media" / asset.id[:2] / asset.id).unlink()
    again = await media_service.picture(asset, 128)

    with Image.open(io.BytesIO(made)) as picture:
        assert picture.size == (128, 64)
    assert again == made
    with pytest.raises(AssetNotFound):
        await media_service.picture(asset, 256)


@pytest.mark.A91d
async def test_thumbnails_of_an_account_wait_for_each_other_and_not_those_of_others(
    media_service: MediaService, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = [await keep(media_service, account, files.png()) for _ in range(3)]
    other = replace(mine[0], id=mine[0].id[::-1], account_id="acc_other")
    begun, go_on = list[Asset](), asyncio.Event()

    async def make(asset: Asset, width: int, page: int) -> bytes:
        begun.append(asset)
        await go_on.wait()
        return b"thumbnail"

    monkeypatch.setattr(media_service._pictures, "_make", make)
    made = [asyncio.create_task(media_service.picture(each, 64)) for each in (*mine, other)]

    async def number() -> int:
        return len(begun)

    await eventually(number, lambda found: found == 2)

    assert {each.account_id for each in begun} == {account.id, "acc_other"}
    go_on.set()
    assert await asyncio.gather(*made) == 4 * [b"thumbnail"]


async def test_there_is_no_thumbnail_of_a_sound_or_of_what_no_decoder_can_read(
    media_service: MediaService, account: Account
) -> None:
    sound = await keep(media_service, account, files.wav(), "audio/wav")
    hollow = await keep(media_service, account, files.png_head(7_000, 7_000))

    for asset in (sound, hollow):
        with pytest.raises(UnsupportedMediaType):
            await media_service.picture(asset, 128)


async def test_what_nobody_needs_goes_with_its_thumbnails(
    media_service: MediaService, account: Account, store: Store, tmp_path: Path
) -> None:
    asset = await keep(media_service, account, files.png())
    other = await keep(media_service, account, files.png())
    await media_service.picture(asset, 64)

    await collect_all(media_service, store, asset.id)

    assert stored(tmp_path) == [other.id]
    with pytest.raises(AssetNotFound):
        await media_service.get(account.id, asset.id)
    assert await media_service.get(account.id, other.id) == other


class FailingObjectStore(ObjectStore):
    """Client that dies at a step, before or after it."""

    def __init__(self, url: str, dice: random.Random) -> None:
        super().__init__(url)
        self._dice = dice

    async def put_stream(self, key: str, pieces: AsyncIterator[bytes]) -> None:
        self._maybe_fail()
        await super().put_stream(key, pieces)
        self._maybe_fail()

    async def delete(self, *keys: str) -> None:
        self._maybe_fail()
        await super().delete(*keys)
        self._maybe_fail()

    def _maybe_fail(self) -> None:
        if self._dice.random() < 0.3:
            raise StorageFailed


async def test_whatever_dies_no_record_lacks_its_bytes_and_no_bytes_lack_a_record(
    settings: Settings, account: Account, store: Store, tmp_path: Path
) -> None:
    dice = random.Random(7)
    media_service = MediaService.from_settings(settings, store)
    media_service._objects = FailingObjectStore(settings.media_url, dice)
    living = set()
    for _ in range(60):
        try:
            living.add((await keep(media_service, account, files.png())).id)
        except StorageFailed:
            continue
    dying = {each for each in living if dice.random() < 0.5}
    for _ in range(60):
        for key in [key for key in await contents(store.client) if b":asset:" in key]:
            asset_id = key.decode().rpartition(":")[2]
            if asset_id in dying or asset_id not in living:
                await let_pass(store, asset_id)
        try:
            await media_service.collect()
        except StorageFailed:
            continue

    records = {
        key.decode().rpartition(":")[2] for key in await contents(store.client) if b":asset:" in key
    }

    assert 20 < len(living) < 60
    assert set(stored(tmp_path)) == records == living - dying
    assert await store.assets.stored(account.id) == len(records) * len(files.png())


async def test_a_place_that_refuses_is_told_in_words_without_names(
    settings: Settings, account: Account, store: Store, tmp_path: Path
) -> None:
    (tmp_path / "media").write_text("no folder")

    with pytest.raises(StorageFailed) as failed:
        await keep(MediaService.from_settings(settings, store), account, files.png())

    assert str(tmp_path) not in failed.value.message


@pytest.mark.parametrize("missing", ["media_url", "secret_key"])
async def test_without_a_place_or_a_key_nothing_is_kept(
    settings: Settings, account: Account, store: Store, missing: str
) -> None:
    media_service = MediaService.from_settings(replace(settings, **{missing: ""}), store)

    with pytest.raises(EngineError, match=f"HEADRACE_{missing.upper()}"):
        await keep(media_service, account, files.png())


@pytest.mark.parametrize(
    ("host", "public", "expected"),
    [
        ("127.0.0.1", "", "http://127.0.0.1:8000"),
        ("0.0.0.0", "", "http://127.0.0.1:8000"),
        ("::", "", "http://[::1]:8000"),
        ("fd00::1", "", "http://[fd00::1]:8000"),
        ("box.example", "", "http://box.example:8000"),
        ("0.0.0.0", "https://flows.example.org", "https://flows.example.org"),
    ],
)
def test_links_begin_with_where_the_gateway_is_reached(
    host: str, public: str, expected: str
) -> None:
    assert base_url(Settings(host=host, public_url=public)) == expected


# -- files and the schema of the store ------------------------------------------------------------


async def set_schema(store: Store, schema: int) -> None:
    await store.client.send("HSET", keyspace.installation(), "schema", schema)

    async def is_noticed() -> bool:
        await store.ping()
        return store.schema.allows(FILES_SCHEMA) is (schema >= FILES_SCHEMA)

    await eventually(is_noticed, bool)


@pytest.mark.parametrize("source", AssetSource)
@pytest.mark.parametrize("declared", [PDF, UNTYPED])
async def test_no_file_is_stored_before_migrate(
    media_service: MediaService,
    store: Store,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    source: AssetSource,
    declared: str,
) -> None:
    monkeypatch.setattr(installation, "CHECK_SECONDS", 0.02)
    await set_schema(store, FILES_SCHEMA - 1)

    with pytest.raises(Unavailable, match="headrace migrate"):
        await media_service.save(account.id, declared, pieces(pdf()), source=source)
    picture = await media_service.save(account.id, "image/png", pieces(files.png()), source=source)

    page = await media_service.page(account.id, limit=10)
    assert [each.id for each in page.assets] == [picture.id]
    await set_schema(store, FILES_SCHEMA)
    stored = await media_service.save(account.id, declared, pieces(pdf()), source=source)
    assert stored.content_type == PDF
