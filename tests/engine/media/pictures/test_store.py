import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.errors import AssetNotFound, UnsupportedMediaType
from engine.media.documents.types import CSV, PDF
from engine.media.ids import make_asset_id, object_key
from engine.media.links import MAX_PAGE, WIDTHS
from engine.media.objects import ObjectStore
from engine.media.pictures.children import MAX_BYTES
from engine.media.pictures.store import PictureStore, picture_keys, require_pictures
from tests.support.documents.samples import pdf
from tests.support.eventually import eventually


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An asset, as far as pictures need it."""

    id: str
    account_id: str
    content_type: str = PDF
    bytes: int = 1_000


def shown(account_id: str = "acc_1", **others: object) -> Shown:
    return Shown(id=make_asset_id(account_id), account_id=account_id, **others)  # type: ignore[arg-type]


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path.as_uri())


async def test_a_page_is_drawn_once_and_kept_under_a_key_of_the_asset(
    objects: ObjectStore,
) -> None:
    asset, pictures = shown(), PictureStore(objects)
    await objects.put(object_key(asset.id), pdf("First", "Second"))

    first, second = [await pictures.get(asset, 64, page) for page in (1, 2)]
    await objects.delete(object_key(asset.id))

    assert first != second
    assert [await pictures.get(asset, 64, page) for page in (1, 2)] == [first, second]
    kept = [name async for names in objects.names("") for name in names]
    assert len(kept) == 2
    assert set(kept) < set(picture_keys(asset.id, PDF))
    with pytest.raises(AssetNotFound):
        await pictures.get(asset, 128)


async def test_a_page_behind_the_last_is_not_found(objects: ObjectStore) -> None:
    asset = shown()
    await objects.put(object_key(asset.id), pdf("One"))

    with pytest.raises(AssetNotFound):
        await PictureStore(objects).get(asset, 64, 2)


def test_an_asset_has_pictures_of_each_width_and_a_pdf_of_each_page() -> None:
    asset_id = make_asset_id("acc_1")

    images, pages = (picture_keys(asset_id, each) for each in ("image/png", PDF))

    assert len(set(images)) == len(WIDTHS)
    assert len(set(pages)) == MAX_PAGE * len(WIDTHS)
    assert set(images) < set(pages)


@pytest.mark.parametrize(
    ("asset", "page"),
    [
        (shown(content_type=CSV), 1),
        (shown(content_type="video/mp4"), 1),
        (shown(content_type="image/png"), 2),
        (shown(bytes=MAX_BYTES + 1), 1),
    ],
)
def test_other_assets_have_no_pictures(asset: Shown, page: int) -> None:
    with pytest.raises(UnsupportedMediaType):
        require_pictures(asset, page)


@pytest.mark.A91e
async def test_pages_of_a_greedy_account_do_not_stop_anothers(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = PictureStore(objects)
    greedy, other = shown("acc_greedy"), shown("acc_other")
    begun, go_on = list[str](), asyncio.Event()

    async def make(asset: Shown, width: int, page: int) -> bytes:
        begun.append(asset.account_id)
        await go_on.wait()
        return b"picture"

    monkeypatch.setattr(pictures, "_make", make)
    waiting = [asyncio.create_task(pictures.get(greedy, 64, page)) for page in range(1, 20)]

    async def first_has_begun() -> bool:
        return begun == ["acc_greedy"]

    await eventually(first_has_begun, bool)
    waiting.append(asyncio.create_task(pictures.get(other, 64)))

    async def both_have_begun() -> bool:
        return begun == ["acc_greedy", "acc_other"]

    await eventually(both_have_begun, bool)
    go_on.set()
    assert await asyncio.gather(*waiting) == 20 * [b"picture"]
