"""Asset ids: no other spelling of an id leads to an asset or a file."""

import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from engine.errors import AssetNotFound, StorageFailed
from engine.media.ids import is_asset_id
from engine.media.links import PATH, LinkSigner
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Asset, Store
from engine.store.media import AssetSource
from tests.engine.media.test_links import BAD_IDS, EXPIRES
from tests.support.media import files
from tests.support.redis.installation import SECRET_KEY

pytestmark = pytest.mark.A51

OUTSIDE = b"of somebody else"
PARTS = (
    *("..", "../", "..\\", "/", "\\", "//", ".", "\0", "\r\n", "\n", " ", "\t", ":", "*", "?", "#"),
    *("%2f", "%2e%2e", "%00", "%c0%ae", "．", "／", "é", "\ud800", "~", "$HOME", "{hr00}", "nul"),
    *("con.png", "C:", "file:", "etc/passwd", "a" * 300, *"aZ-_9" * 60),
)


@pytest.fixture
def media_service(settings: Settings, store: Store) -> MediaService:
    return MediaService.from_settings(settings, store)


@pytest.fixture
async def asset(media_service: MediaService, account: Account, tmp_path: Path) -> Asset:
    (tmp_path / "outside").write_bytes(OUTSIDE)

    async def pieces() -> AsyncIterator[bytes]:
        yield files.png()

    return await media_service.save(account.id, "image/png", pieces(), source=AssetSource.UPLOAD)


def spelt(count: int, asset_id: str) -> Iterator[str]:
    """Return random texts, many of them similar to the asset's id."""
    dice = random.Random(count)
    for _ in range(count):
        if dice.random() < 0.5:
            yield "".join(dice.choices(PARTS, k=dice.randint(0, 30)))
        else:
            place = dice.randrange(25)
            yield asset_id[:place] + dice.choice(PARTS) + asset_id[place + dice.randrange(3) :]


async def leads_nowhere(
    media_service: MediaService, account: Account, asset: Asset, text: str
) -> bool:
    """Return True if an id is unknown by name, by a signed link, and by use in a run."""
    links = LinkSigner([SECRET_KEY], "http://127.0.0.1:8000")
    query = {"expires": str(EXPIRES), "signature": "0" * 64}
    if text.isascii():
        signed = links.url(text, EXPIRES).rpartition("signature=")[2]
        query["signature"] = signed  # as if our own key had signed it
    asked = (
        lambda: media_service.get(account.id, text),
        lambda: media_service.follow(text, query),
        lambda: media_service.use(account.id, text, "x"),
        lambda: media_service.find(f"http://127.0.0.1:8000{PATH}{quote(text, errors='replace')}"),
    )
    for ask in asked:
        try:
            await ask()
        except AssetNotFound:
            continue
        return text == asset.id
    return True


@pytest.mark.parametrize("text", BAD_IDS)
async def test_a_bad_id_leads_nowhere_even_when_it_is_signed(
    media_service: MediaService, account: Account, asset: Asset, text: str
) -> None:
    assert await leads_nowhere(media_service, account, asset, text)


async def check_many(
    media_service: MediaService, account: Account, asset: Asset, count: int
) -> None:
    formed = 0
    for text in spelt(count, asset.id):
        formed += is_asset_id(text) and text != asset.id
        assert await leads_nowhere(media_service, account, asset, text), repr(text)
    assert formed > count // 100


async def test_of_a_thousand_ids_none_leads_anywhere(
    media_service: MediaService, account: Account, asset: Asset
) -> None:
    await check_many(media_service, account, asset, 1_000)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_of_a_hundred_thousand_ids_none_leads_anywhere(
    media_service: MediaService, account: Account, asset: Asset
) -> None:
    await check_many(media_service, account, asset, 100_000)


def swap_file(path: Path, outside: Path) -> None:
    path.unlink()
    path.symlink_to(outside)


def swap_folder(path: Path, outside: Path) -> None:
    elsewhere = outside.parent / "elsewhere"
    path.parent.rename(elsewhere)
    (elsewhere / path.name).write_bytes(OUTSIDE)
    path.parent.symlink_to(elsewhere)


@pytest.mark.parametrize("swap", [swap_file, swap_folder])
async def test_a_link_in_the_place_of_a_file_or_folder_is_not_followed(
    media_service: MediaService, account: Account, asset: Asset, tmp_path: Path, swap
) -> None:
    path = tmp_path / "media" / asset.id[:2] / asset.id
    swap(path, tmp_path / "outside")

    with pytest.raises(AssetNotFound):
        await media_service.stream(asset)
    with pytest.raises(AssetNotFound):
        await media_service.picture(asset, 64)

    assert b"somebody" in (tmp_path / "outside").read_bytes()


async def test_nothing_is_written_or_removed_where_a_link_leads(
    media_service: MediaService, asset: Asset, tmp_path: Path
) -> None:
    objects, path = media_service._objects, tmp_path / "media" / asset.id[:2] / asset.id
    swap_folder(path, tmp_path / "outside")
    key = f"{asset.id[:2]}/{asset.id}"

    for work in (
        objects.put(f"{key}x", b"x"),
        objects.put_stream(f"{key}y", _two(b"x" * 400_000)),
        objects.delete(key),
    ):
        with pytest.raises(StorageFailed):
            await work

    assert [each.name for each in (tmp_path / "elsewhere").iterdir()] == [asset.id]


async def _two(data: bytes) -> AsyncIterator[bytes]:
    yield data
    yield data
