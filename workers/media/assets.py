"""Assets in workers: media from providers are stored, media in nodes are looked up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterator
from decimal import Decimal
from typing import Any

from engine.errors import (
    AssetNotFound,
    BodyTooLarge,
    EngineError,
    MediaQuotaExceeded,
    NotMigrated,
    StorageFailed,
    UnsupportedMediaType,
)
from engine.errors.nodes import BAD_RESPONSE, STORAGE, FilesMustWait, NodeFailed
from engine.media.documents.types import TEXTS
from engine.media.formats import UNTYPED, MediaKind
from engine.media.ranges import ByteRange
from engine.net.url_policy import UrlRefused, check_url
from engine.nodes.support.base import BodyConsumer, HttpAnswer, HttpCall
from engine.services.media import MediaService
from engine.store.media import Asset, AssetSource
from engine.telemetry.metrics import STORAGE_FAILURES
from workers.outbound.client import Egress
from workers.providers.base import Fetcher, StoredMedia

NOT_FOUND = "asset_not_found"
COPY_SECONDS = 300.0
MAX_REDIRECTS = 3


class AccountMedia:
    """The media of accounts for nodes and models. Every call may raise NodeFailed."""

    def __init__(
        self,
        media_service: MediaService,
        egress: Egress,
        providers: Egress,
        *,
        execution_id: str = "",
        medium: MediaKind | None = None,
        provider: str = "",
        is_of_model: bool = False,
    ) -> None:
        self._media_service = media_service
        self._egress = egress
        self._providers = providers
        self._provider = provider
        self._execution_id = execution_id
        self._medium = medium
        self._is_of_model = is_of_model

    def for_execution(self, execution_id: str, kind: str, provider: str = "") -> "AccountMedia":
        """Return the same for one execution, whose media outlive it.

        Stored media must be of the kind, where that is `image`, `video` or `audio`; without one a
        node stores media of any kind. Copies from the provider's own host may come from a private
        address, as its answers do.
        """
        return AccountMedia(
            self._media_service,
            self._egress,
            self._providers,
            execution_id=execution_id,
            medium=next((each for each in MediaKind if each == kind), None),
            provider=provider,
            is_of_model=bool(kind),
        )

    def linked(self, value: object) -> str | None:
        """Return the id of the asset to which a value is a link, None for other values."""
        return self._media_service.linked(value)

    async def use(self, account_id: str, asset_id: str) -> tuple[str, str]:
        """Return the kind of an asset, and a link to it that lasts as long as the execution."""
        with _explained():
            asset, url = await self._media_service.use(account_id, asset_id, self._execution_id)
        return asset.medium, url

    async def require_space(self, account_id: str) -> None:
        """Raise NodeFailed when the account has no space, before a provider is called."""
        with _explained():
            await self._media_service.require_space(account_id)

    async def read(
        self, account_id: str, url: str, max_bytes: int, owner_id: str = ""
    ) -> bytes | None:
        """Read a medium of either account at one of our links, None for any other URL."""
        if not self._media_service.is_own(url):
            return None
        with _explained():
            _, data = await _read(self._media_service, account_id, owner_id, url, max_bytes)
        return data

    async def content_type(self, account_id: str, url: str, owner_id: str = "") -> str | None:
        """Return the type on record of a medium of either account, None for any other URL."""
        if not self._media_service.is_own(url):
            return None
        with _explained():
            return (await _find(self._media_service, account_id, owner_id, url)).content_type

    async def find(self, account_id: str, url: str, owner_id: str = "") -> StoredMedia | None:
        """Return a medium of either account at one of our links, None for any other URL."""
        if not self._media_service.is_own(url):
            return None
        with _explained():
            asset = await _find(self._media_service, account_id, owner_id, url)
        return StoredMedia(url=url, seconds=_seconds(asset))

    async def keep(self, account_id: str, data: bytes, content_type: str) -> StoredMedia:
        """Store a medium, under a link that lasts as long as the execution."""
        declared = self._declared(content_type)
        try:
            async with asyncio.timeout(COPY_SECONDS):
                return await self._keep(account_id, _single_piece(data), declared)
        except TimeoutError:
            STORAGE_FAILURES.inc()
            message = f"The medium was not stored within {COPY_SECONDS:g} s"
            raise NodeFailed(STORAGE, message, retryable=True) from None

    async def copy(self, account_id: str, url: str) -> StoredMedia:
        """Store the medium at a URL, under a link that lasts as long as the execution.

        The URL is kept where there is no place for media, and where it may not be called.
        """
        if not self._media_service.is_set:
            return StoredMedia(url=url)
        stored: list[StoredMedia] = []

        async def take(answer: HttpAnswer, pieces: AsyncIterator[bytes]) -> None:
            _check_medium(answer)
            stored.append(await self._keep(account_id, pieces))

        try:
            if _is_at(url, self._provider):
                await self._providers.fetch(self._call(account_id, url, take, redirects=0))
            else:
                await self._egress.fetch(self._call(account_id, url, take))
        except NodeFailed as failure:
            if failure.code == "url_blocked":
                return StoredMedia(url=url)
            raise
        return stored[0]

    def _call(
        self, account_id: str, url: str, take: BodyConsumer, redirects: int = MAX_REDIRECTS
    ) -> HttpCall:
        return HttpCall(
            method="GET",
            url=url,
            timeout_seconds=COPY_SECONDS,
            max_bytes=self._media_service.max_bytes,
            max_redirects=redirects,
            account_id=account_id,
            consume=take,
        )

    def _declared(self, content_type: str) -> str:
        """Return the type that a medium is stored as: the bytes of media tell it better.

        Texts are none that models make.
        """
        return content_type if content_type in TEXTS and not self._is_of_model else UNTYPED

    async def _keep(
        self, account_id: str, pieces: AsyncIterator[bytes], declared: str = UNTYPED
    ) -> StoredMedia:
        with _explained():
            asset = await self._media_service.save(
                account_id,
                declared,
                pieces,
                source=AssetSource.PROVIDER,
                medium=self._medium,
                takes_files=not self._is_of_model,
                execution_id=self._execution_id,
            )
            return StoredMedia(url=self._media_service.lasting_link(asset), seconds=_seconds(asset))


class OwnMedia:
    """A fetcher that reads our own media from their store.

    Outbound calls never lead to our own gateway, and need not.
    """

    def __init__(self, media_service: MediaService, egress: Fetcher) -> None:
        self._media_service = media_service
        self._egress = egress

    def fetch(self, call: HttpCall) -> Coroutine[Any, Any, HttpAnswer]:
        """Send a call, or read the medium at its URL. Raises NodeFailed."""
        if call.method != "GET" or not self._media_service.is_own(call.url):
            return self._egress.fetch(call)
        return self._read(call)

    async def _read(self, call: HttpCall) -> HttpAnswer:
        with _explained():
            asset, data = await _read(
                self._media_service,
                call.account_id,
                call.owner_id,
                call.url,
                call.max_bytes,
                is_cut=call.is_cut,
            )
        return HttpAnswer(status=200, headers={"content-type": asset.content_type}, body=data)


async def _read(
    media_service: MediaService,
    account_id: str,
    owner_id: str,
    url: str,
    max_bytes: int,
    *,
    is_cut: bool = False,
) -> tuple[Asset, bytes]:
    asset = await _find(media_service, account_id, owner_id, url)
    if asset.bytes > max_bytes and not is_cut:
        raise NodeFailed("response_too_large", f"The medium is larger than {max_bytes} bytes")
    part = ByteRange(0, min(asset.bytes, max_bytes))
    return asset, b"".join([piece async for piece in await media_service.stream(asset, part)])


async def _find(media_service: MediaService, account_id: str, owner_id: str, url: str) -> Asset:
    asset = await media_service.find(url, reader=account_id)
    if asset.account_id not in (account_id, owner_id):
        raise AssetNotFound
    return asset


def _seconds(asset: Asset) -> Decimal | None:
    return None if asset.duration_ms is None else Decimal(asset.duration_ms) / 1000


def _check_medium(answer: HttpAnswer) -> None:
    if answer.status != 200:
        message = f"The provider's medium is answered with {answer.status}"
        raise NodeFailed(BAD_RESPONSE, message)
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise NodeFailed(
            "bad_response", "The answer is compressed although the request did not allow it"
        )


def _is_at(url: str, provider: str) -> bool:
    """Return whether a URL has the scheme, host and port of a provider."""
    try:
        here, there = (check_url(each, allow_private=True) for each in (url, provider))
    except UrlRefused:
        return False
    return (here.scheme, here.host, here.port) == (there.scheme, there.host, there.port)


async def _single_piece(data: bytes) -> AsyncIterator[bytes]:
    yield data


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except AssetNotFound:
        raise NodeFailed(NOT_FOUND, "The account has no such asset (any more)") from None
    except NotMigrated as error:
        raise FilesMustWait(error.message) from None
    except MediaQuotaExceeded as error:
        raise NodeFailed(STORAGE, error.message) from None
    except StorageFailed as error:
        STORAGE_FAILURES.inc()
        raise NodeFailed(STORAGE, error.message) from None
    except (UnsupportedMediaType, BodyTooLarge) as error:
        raise NodeFailed(BAD_RESPONSE, f"The provider's medium is refused: {error}") from None
    except EngineError as error:
        STORAGE_FAILURES.inc()
        raise NodeFailed(STORAGE, error.message, retryable=True) from None
