"""Media as the rest of Headrace has them: a record in the store, bytes in a folder or bucket."""

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
from engine.media.formats import MediaKind, UnfitMedia
from engine.media.inspecting import Inspector, TooLargeMedia
from engine.media.links import PATH, WIDTHS, LinkSigner, MediaLink
from engine.media.objects import ObjectStore
from engine.media.ranges import ByteRange
from engine.media.thumbnails import MAX_BYTES, make_thumbnail
from engine.settings import Settings
from engine.store import Store
from engine.store.media import Asset, AssetPage, AssetReview, AssetSource, UploadReservation

LINK_SECONDS = 86_400
COLLECTED_AT_ONCE = 100
THUMBNAILS_AT_ONCE = 2
MAX_LINK = 2_048
MAX_LOOKED_AT = 10_000
"""Values of a result in which links are looked for."""
REMOVAL_SECONDS = 5.0
"""How long who deletes an asset waits for its bytes to go."""


class MediaService:
    """Keeps media, gives links to them, and lets go of those that nobody needs."""

    def __init__(
        self, store: Store, objects: ObjectStore, links: LinkSigner, settings: Settings
    ) -> None:
        self._assets = store.assets
        self._clock = store.leases.now
        self._objects = objects
        self._links = links
        self.max_bytes = settings.max_asset_bytes
        self._keep_seconds = int(settings.retention_days * 86_400) + LINK_SECONDS
        self._turns = asyncio.Semaphore(THUMBNAILS_AT_ONCE)

    @classmethod
    def of(cls, settings: Settings, store: Store) -> "MediaService":
        """The library of the settings. Raises SettingError."""
        links = LinkSigner(Sealer.keys_of(settings.secret_key), base_url(settings))
        return cls(store, ObjectStore.of(settings), links, settings)

    async def keep(
        self,
        account_id: str,
        declared: str,
        pieces: AsyncIterator[bytes],
        *,
        source: AssetSource,
        medium: MediaKind | None = None,
        execution_id: str = "",
    ) -> Asset:
        """Store a file of the type that it is declared to have; `medium` is what it must be.

        With an execution it lives as long as that. Raises UnsupportedMediaType, BodyTooLarge,
        MediaQuotaExceeded, StorageFailed, Unavailable, or what `pieces` raises.
        """
        self._demand_key()
        place = await self._assets.announce(account_id, source)
        inspector = Inspector(declared, min(self.max_bytes, place.room), medium)
        key = _key(place.asset_id)
        try:
            await self._objects.put_stream(key, inspector.through(pieces))
            facts, size = inspector.known, inspector.bytes
            return await self._assets.keep(place.asset_id, facts, size, execution_id)
        except StorageStalled:
            raise  # what may yet be stored is looked for when it is given up by itself
        except BaseException as error:
            await self._give_up(place.asset_id)
            if isinstance(error, UnfitMedia):
                raise UnsupportedMediaType(str(error)) from None
            if isinstance(error, TooLargeMedia):
                raise self._too_large(place) from None
            raise

    def _too_large(self, place: UploadReservation) -> BodyTooLarge:
        if place.limit is None or place.room >= self.max_bytes:
            return BodyTooLarge(self.max_bytes)
        return MediaQuotaExceeded(place.stored, place.limit)

    async def require_space(self, account_id: str) -> None:
        """Raises when nothing more of the account's would be kept.

        MediaQuotaExceeded: of the account's alone; StorageFailed: of anybody's.
        """
        if self._objects.is_set:
            await self._objects.require_space()
            await self._assets.require_space(account_id)

    async def _give_up(self, asset_id: str) -> None:
        with contextlib.suppress(EngineError):  # it is given up by itself, later
            await self._assets.give_up(asset_id)

    @property
    def is_set(self) -> bool:
        """Whether there is a place for media."""
        return self._objects.is_set

    def _demand_key(self) -> None:
        if not self._links.has_key:
            raise StorageFailed("Media need HEADRACE_SECRET_KEY to be set")

    async def get(self, account_id: str, asset_id: str) -> Asset:
        """An asset of the account. Raises AssetNotFound."""
        return await self._assets.get(account_id, asset_id)

    async def page(self, account_id: str, *, limit: int, cursor: str | None = None) -> AssetPage:
        """At most `limit` assets of the account. Raises ValueError for a cursor that is not one."""
        return await self._assets.page(account_id, limit=limit, cursor=cursor)

    async def delete(self, account_id: str, asset_id: str) -> None:
        """Let go of an asset of the account, whatever needs it. Raises AssetNotFound."""
        await self._assets.delete(account_id, asset_id)
        with contextlib.suppress(StorageFailed, TimeoutError):  # what is left goes when it is due
            async with asyncio.timeout(REMOVAL_SECONDS):
                await self._remove(asset_id)

    async def _remove(self, asset_id: str) -> None:
        await self._objects.delete(_key(asset_id), *_thumbnail_keys(asset_id))

    def link(self, asset: Asset, *, width: int | None = None) -> str:
        """A link for a day, to the file or to a smaller picture. Raises UnsupportedMediaType."""
        if width is not None:
            _demand_picture(asset)
        return self._link(asset, LINK_SECONDS, width)

    def lasting_link(self, asset: Asset) -> str:
        """A link for what is on record as long as an execution."""
        return self._link(asset, self._keep_seconds)

    def _link(self, asset: Asset, seconds: int, width: int | None = None) -> str:
        self._demand_key()
        return self._links.url(asset.id, int(time.time()) + seconds, width)

    async def use(self, account_id: str, asset_id: str, execution_id: str) -> tuple[Asset, str]:
        """An asset of the account, and a link to it for an execution, which the asset outlives.

        Raises AssetNotFound.
        """
        await self._assets.refer(account_id, asset_id, execution_id)
        asset = await self._assets.get(account_id, asset_id)
        return asset, self.lasting_link(asset)

    async def follow(self, asset_id: str, query: dict[str, str]) -> tuple[Asset, MediaLink]:
        """What a link leads to. Raises AssetNotFound."""
        link = self._links.read(asset_id, query)
        return await self._followed(link)

    def is_own(self, url: str) -> bool:
        """Whether a URL is a link to an asset, good or not, whichever gateway it begins with."""
        is_here = url.startswith(f"{self._links.base}{PATH}")
        return is_here or self._links.read_url(url) is not None

    async def find(self, url: str) -> Asset:
        """The asset that a link leads to. Raises AssetNotFound."""
        asset, link = await self._followed(self._links.read_url(url))
        if link.width is not None:
            raise AssetNotFound
        return asset

    def linked(self, value: object) -> str | None:
        """The id of the asset that a link leads to, expired or not; None for all else."""
        if not isinstance(value, str) or len(value) > MAX_LINK or PATH not in value:
            return None
        link = self._links.read_url(value)
        return None if link is None or link.width is not None else link.asset_id

    def linked_assets(self, result: Any) -> dict[str, str]:
        """The assets that links in a result lead to, by link, from its first values."""
        found, waiting = {}, deque([result])
        for _ in range(MAX_LOOKED_AT):
            if not waiting:
                break
            value = waiting.popleft()
            if isinstance(value, dict | list):
                members = value.values() if isinstance(value, dict) else value
                waiting.extend(islice(members, MAX_LOOKED_AT))
            elif asset_id := self.linked(value):
                found[value] = asset_id
        return found

    async def _followed(self, link: MediaLink | None) -> tuple[Asset, MediaLink]:
        if link is None:
            raise AssetNotFound
        if link.expires <= time.time():
            raise AssetNotFound("This link has expired; `GET /api/assets/:id` gives a fresh one")
        return await self._assets.find(link.asset_id), link

    async def stream(self, asset: Asset, part: ByteRange | None = None) -> AsyncIterator[bytes]:
        """An asset's bytes, or some of them. Raises AssetNotFound."""
        try:
            return await self._objects.stream(_key(asset.id), part)
        except FileNotFoundError:
            raise AssetNotFound from None

    async def thumbnail(self, asset: Asset, width: int) -> bytes:
        """A picture as WebP, no wider than this. Raises AssetNotFound or UnsupportedMediaType."""
        key = _thumbnail_key(asset.id, width)
        with contextlib.suppress(FileNotFoundError):
            return await self._objects.read(key, MAX_BYTES)
        _demand_picture(asset)
        async with self._turns:
            made = await self._shrink(asset, width)
        await self._objects.put(key, made)
        return made

    async def _shrink(self, asset: Asset, width: int) -> bytes:
        try:
            data = await self._objects.read(_key(asset.id), MAX_BYTES)
            return await make_thumbnail(data, width)
        except FileNotFoundError:
            raise AssetNotFound from None
        except UnfitMedia as error:
            raise UnsupportedMediaType(str(error)) from None

    async def collect(self) -> bool:
        """Let go of what nobody needs; true when there is more to be done at once.

        First nobody sees an asset any more, then, when whoever reads it has ended, its bytes go,
        and at last its record: each step is found again when the one who takes it dies.
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
        """What the file system of a folder has left; None: media are not in a folder.

        Raises StorageFailed.
        """
        disk = await self._objects.disk()
        return None if disk is None else disk.free_bytes


def _demand_picture(asset: Asset) -> None:
    """Raises UnsupportedMediaType for what no smaller picture is made of."""
    if asset.medium is not MediaKind.IMAGE or asset.bytes > MAX_BYTES:
        raise UnsupportedMediaType("There are smaller pictures of images up to 32 MB only")


def base_url(settings: Settings) -> str:
    """What links begin with."""
    return settings.public_url or f"http://{_reachable(settings.host)}:{settings.port}"


def _reachable(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return host if address.version == 4 else f"[{host}]"


def _key(asset_id: str) -> str:
    return f"{asset_id[:2]}/{asset_id}"


def _thumbnail_key(asset_id: str, width: int) -> str:
    return f"{_key(asset_id)}.{width}.webp"


def _thumbnail_keys(asset_id: str) -> list[str]:
    return [_thumbnail_key(asset_id, width) for width in WIDTHS]
