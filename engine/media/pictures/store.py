"""Small pictures of assets: made once, kept beside the asset, and gone with it."""

import contextlib
from collections.abc import Sequence
from typing import Protocol

from engine.errors import AssetNotFound, UnsupportedMediaType
from engine.media.documents.types import PDF
from engine.media.formats import MediaKind, UnfitMedia, media_kind_of
from engine.media.ids import object_key
from engine.media.links import MAX_PAGE, WIDTHS
from engine.media.objects import ObjectStore
from engine.media.pictures.children import MAX_BYTES, PageNotFound, make_page, make_thumbnail
from engine.process.account_semaphore import AccountSemaphore

PICTURES_AT_ONCE = 2
PICTURES_OF_ACCOUNT = 1
ONLY_IMAGES = "Only images and pages of PDFs, of files up to 32 MB, have smaller pictures"


class Pictured(Protocol):
    """An asset of which there may be pictures."""

    @property
    def id(self) -> str:
        """Id of the asset."""
        ...

    @property
    def account_id(self) -> str:
        """Account that has the asset."""
        ...

    @property
    def content_type(self) -> str:
        """Type of the file."""
        ...

    @property
    def bytes(self) -> int:
        """Size of the file."""
        ...


class PictureStore:
    """Makes and keeps pictures of assets; accounts take turns."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._slots = AccountSemaphore(PICTURES_AT_ONCE, share=PICTURES_OF_ACCOUNT)

    async def get(self, asset: Pictured, width: int, page: int = 1) -> bytes:
        """Return a WebP of at most this width, of an image or of a page of a PDF.

        Raises UnsupportedMediaType, AssetNotFound for a page that does not exist, or StorageFailed.
        """
        key = picture_key(asset.id, width, page)
        with contextlib.suppress(FileNotFoundError):
            return await self._objects.read(key, MAX_BYTES)
        require_pictures(asset, page)
        async with self._slots.slot(asset.account_id):
            picture = await self._make(asset, width, page)
        await self._objects.put(key, picture)
        return picture

    async def _make(self, asset: Pictured, width: int, page: int) -> bytes:
        try:
            data = await self._objects.read(object_key(asset.id), MAX_BYTES)
            if asset.content_type == PDF:
                return await make_page(data, width, page)
            return await make_thumbnail(data, width)
        except (FileNotFoundError, PageNotFound):
            raise AssetNotFound from None
        except UnfitMedia as error:
            raise UnsupportedMediaType(str(error)) from None


def require_pictures(asset: Pictured, page: int = 1) -> None:
    """Raise UnsupportedMediaType unless pictures can be made of the asset, or of such a page."""
    is_pdf = asset.content_type == PDF
    is_image = media_kind_of(asset.content_type) is MediaKind.IMAGE
    if not is_pdf and not (is_image and page == 1) or asset.bytes > MAX_BYTES:
        raise UnsupportedMediaType(ONLY_IMAGES)


def picture_key(asset_id: str, width: int, page: int = 1) -> str:
    """Return the key of a picture of an asset."""
    place = f".{page}" if page > 1 else ""
    return f"{object_key(asset_id)}.{width}{place}.webp"


def picture_keys(asset_id: str, content_type: str) -> Sequence[str]:
    """Return the keys of all pictures that an asset of the type may have."""
    pages = range(1, (MAX_PAGE if content_type == PDF else 1) + 1)
    return [picture_key(asset_id, width, page) for page in pages for width in WIDTHS]
