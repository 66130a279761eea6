"""Media service: records of assets in the store, their bytes in a folder or bucket."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator
from ipaddress import ip_address
from itertools import islice
from typing import Any

from engine.access.sealing import Sealer
from engine.errors import (
    AssetNotFound,
    BodyTooLarge,
    EngineError,
    MediaQuotaExceeded,
    StorageFailed,
    StorageStalled,
    UnsupportedMediaType,
)
from engine.executions.node_waits import MAX_SECONDS
from engine.media.documents.types import DOCUMENTS
from engine.media.formats import MediaKind, UnfitMedia
from engine.media.ids import object_key
from engine.media.inspector import Inspector, TooLargeMedia
from engine.media.links import PATH, LinkSigner, MediaLink
from engine.media.objects import ObjectStore
from engine.media.pictures.store import PictureStore, picture_keys, require_pictures
from engine.media.ranges import ByteRange
from engine.settings import Settings
from engine.store import Store
from engine.store.media import Asset, AssetPage, AssetReview, AssetSource, UploadReservation
from engine.store.schema import FILES_SCHEMA

LINK_SECONDS = 86_400
COLLECTED_AT_ONCE = 100
MAX_LINK = 2_048
MAX_SEARCHED = 10_000
"""Values of a result that are searched for links."""
EXPIRED = "This link has expired; `GET /api/assets/:id` gives a fresh one"
FILES = "Files"
"""Subject of the sentence that refuses them while release 0.2.0 may run."""
REMOVAL_SECONDS = 5.0
"""Longest time a DELETE waits for the object's removal."""


class MediaService:
    """Stores media, signs links to them, and collects unused ones."""

    def __init__(
        self, store: Store, objects: ObjectStore, links: LinkSigner, settings: Settings
    ) -> None:
        self._assets = store.assets
        self._schema = store.schema
        self._clock = store.leases.now
        self._objects = objects
        self._links = links
        self.max_bytes = settings.max_asset_bytes
        retention_seconds = int(settings.retention_days * 86_400)
        # A run may wait for a person before the next node needs the link, or before it ends.
        self._keep_seconds = MAX_SECONDS + retention_seconds + LINK_SECONDS
        self._pictures = PictureStore(objects)

    @classmethod
    def from_settings(cls, settings: Settings, store: Store) -> "MediaService":
        """Create the service of the settings. Raises SettingError."""
        links = LinkSigner(Sealer.keys_of(settings.secret_key), base_url(settings))
        return cls(store, ObjectStore.from_settings(settings), links, settings)

    async def save(
        self,
        account_id: str,
        declared: str,
        pieces: AsyncIterator[bytes],
        *,
        source: AssetSource,
        medium: MediaKind | None = None,
        execution_id: str = "",
        file_name: str = "",
        takes_files: bool = True,
    ) -> Asset:
        """Store a file of the declared type; `medium` is the required kind.

        The asset of an execution lives as long as the execution. Raises UnsupportedMediaType,
        BodyTooLarge, MediaQuotaExceeded, StorageFailed, Unavailable, NotMigrated for a document
        while release 0.2.0 may run, or the errors of `pieces`.
        """
        self._demand_key()
        if declared in DOCUMENTS:
            self._schema.require(FILES_SCHEMA, FILES)
        reservation = await self._assets.reserve_upload(account_id, source)
        max_bytes = min(self.max_bytes, reservation.remaining_bytes)
        inspector = Inspector(declared, max_bytes, medium, file_name)
        key = object_key(reservation.asset_id)
        try:
            await self._objects.put_stream(key, inspector.through(pieces))
            facts, size = inspector.known, inspector.bytes
            if facts.medium is MediaKind.FILE:
                self._check_file(takes_files)
            return await self._assets.complete(reservation.asset_id, facts, size, execution_id)
        except StorageStalled:
            raise  # the write may still succeed; the expired reservation removes its bytes
        except BaseException as error:
            await self._abandon(reservation.asset_id)
            if isinstance(error, UnfitMedia):
                raise UnsupportedMediaType(str(error)) from None
            if isinstance(error, TooLargeMedia):
                raise self._too_large(reservation) from None
            raise

    def _check_file(self, is_taken: bool) -> None:
        if not is_taken:
            raise UnfitMedia("The file is a document")
        self._schema.require(FILES_SCHEMA, FILES)

    def _too_large(self, reservation: UploadReservation) -> BodyTooLarge:
        if reservation.limit is None or reservation.remaining_bytes >= self.max_bytes:
            return BodyTooLarge(self.max_bytes)
        return MediaQuotaExceeded(reservation.stored, reservation.limit)

    async def require_space(self, account_id: str) -> None:
        """Check that the account can store more media.

        Raises MediaQuotaExceeded for the account's quota, StorageFailed for the whole store.
        """
        if self._objects.is_set:
            await self._objects.require_space()
            await self._assets.require_space(account_id)

    async def _abandon(self, asset_id: str) -> None:
        with contextlib.suppress(EngineError):  # the reservation expires later
            await self._assets.abandon_upload(asset_id)

    @property
    def is_set(self) -> bool:
        """True if a media store is configured."""
        return self._objects.is_set

    def _demand_key(self) -> None:
        if not self._links.has_key:
            raise StorageFailed("Media need HEADRACE_SECRET_KEY to be set")

    async def get(self, account_id: str, asset_id: str) -> Asset:
        """Return an asset of the account. Raises AssetNotFound."""
        return await self._assets.get(account_id, asset_id)

    async def page(self, account_id: str, *, limit: int, cursor: str | None = None) -> AssetPage:
        """Return a page of at most `limit` assets. Raises ValueError for an invalid cursor."""
        return await self._assets.page(account_id, limit=limit, cursor=cursor)

    async def delete(self, account_id: str, asset_id: str) -> None:
        """Delete an asset of the account, even if it is in use. Raises AssetNotFound."""
        await self._assets.delete(account_id, asset_id)
        with contextlib.suppress(StorageFailed, TimeoutError):  # `collect` removes the rest
            async with asyncio.timeout(REMOVAL_SECONDS):
                await self._remove(asset_id)

    async def _remove(self, asset_id: str) -> None:
        content_type = await self._assets.content_type(asset_id)
        await self._objects.delete(object_key(asset_id), *picture_keys(asset_id, content_type))

    def link(self, asset: Asset, *, width: int | None = None, page: int = 1) -> str:
        """Return a link for a day to the file or a picture of it. Raises UnsupportedMediaType."""
        if width is not None:
            require_pictures(asset, page)
        return self._link(asset, LINK_SECONDS, width, page)

    def lasting_link(self, asset: Asset) -> str:
        """Return a link that outlives an execution with one wait of the greatest length."""
        return self._link(asset, self._keep_seconds)

    def _link(self, asset: Asset, seconds: int, width: int | None = None, page: int = 1) -> str:
        self._demand_key()
        return self._links.url(asset.id, int(time.time()) + seconds, width, page)

    async def use(self, account_id: str, asset_id: str, execution_id: str) -> tuple[Asset, str]:
        """Keep an asset of the account for an execution, and return it with a link.

        Raises AssetNotFound.
        """
        await self._assets.retain(account_id, asset_id, execution_id)
        asset = await self._assets.get(account_id, asset_id)
        return asset, self.lasting_link(asset)

    async def follow(self, asset_id: str, query: dict[str, str]) -> tuple[Asset, MediaLink]:
        """Return the asset and the link of a signed query. Raises AssetNotFound."""
        link = self._links.verify(asset_id, query)
        return await self._followed(link)

    def is_own(self, url: str) -> bool:
        """Return True if a URL is a link to an asset, valid or not, at any gateway."""
        is_here = url.startswith(f"{self._links.base}{PATH}")
        return is_here or self._links.read_url(url) is not None

    async def find(self, url: str, reader: str = "") -> Asset:
        """Return the asset of a link. Raises AssetNotFound.

        A link to an asset of the account `reader` never expires: a run may have waited for months.
        """
        asset, link = await self._followed(self._links.read_url(url), reader)
        if link.width is not None:
            raise AssetNotFound
        return asset

    def linked(self, value: object) -> str | None:
        """Return the asset id of a signed link, even an expired one; None for other values."""
        if not isinstance(value, str) or len(value) > MAX_LINK or PATH not in value:
            return None
        link = self._links.read_url(value)
        return None if link is None or link.width is not None else link.asset_id

    def linked_assets(self, result: Any) -> dict[str, str]:
        """Return the asset ids of the links in the first values of a result, by link."""
        asset_ids, pending = {}, deque([result])
        for _ in range(MAX_SEARCHED):
            if not pending:
                break
            value = pending.popleft()
            if isinstance(value, dict | list):
                members = value.values() if isinstance(value, dict) else value
                pending.extend(islice(members, MAX_SEARCHED))
            elif asset_id := self.linked(value):
                asset_ids[value] = asset_id
        return asset_ids

    async def _followed(self, link: MediaLink | None, reader: str = "") -> tuple[Asset, MediaLink]:
        if link is None:
            raise AssetNotFound
        is_expired = link.expires <= time.time()
        if is_expired and not reader:
            raise AssetNotFound(EXPIRED)
        asset = await self._assets.find(link.asset_id)
        if is_expired and asset.account_id != reader:
            raise AssetNotFound(EXPIRED)
        return asset, link

    async def stream(self, asset: Asset, part: ByteRange | None = None) -> AsyncIterator[bytes]:
        """Stream the bytes of an asset, or a range of them. Raises AssetNotFound."""
        try:
            return await self._objects.stream(object_key(asset.id), part)
        except FileNotFoundError:
            raise AssetNotFound from None

    async def picture(self, asset: Asset, width: int, page: int = 1) -> bytes:
        """Return a WebP of at most this width, of an image or of a page of a PDF.

        Raises AssetNotFound, also for a page that does not exist, or UnsupportedMediaType.
        """
        return await self._pictures.get(asset, width, page)

    async def collect(self) -> bool:
        """Remove unused assets; return True if more are due now.

        An asset is first hidden, then, after its readers have ended, its bytes are removed, and
        at last its record. Each step is resumed after the death of the process that took it.
        """
        if not self._objects.is_set:
            return False
        due = await self._assets.due(await self._clock(), COLLECTED_AT_ONCE)
        for asset_id in due:
            if await self._assets.review(asset_id) is AssetReview.RIPE:
                await self._remove(asset_id)
                await self._assets.forget(asset_id)
        return len(due) > 0

    async def free_bytes(self) -> int | None:
        """Return the free bytes of the folder's file system; None: the store is no folder.

        Raises StorageFailed.
        """
        disk = await self._objects.disk()
        return None if disk is None else disk.free_bytes


def base_url(settings: Settings) -> str:
    """Return the base URL of links."""
    return settings.public_url or f"http://{_reachable(settings.host)}:{settings.port}"


def _reachable(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return host if address.version == 4 else f"[{host}]"
