"""Fetcher of covers that workflows name by URL; each becomes an asset of the workflow's owner."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable

from engine.errors import BodyTooLarge, EngineError, NotFound, StorageFailed, UnsupportedMediaType
from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.media.formats import UNTYPED, MediaKind
from engine.media.ids import is_asset_id
from engine.nodes.support.base import HttpAnswer, HttpCall
from engine.services.media import MediaService
from engine.store import Asset, Store
from engine.store.media import AssetSource
from engine.store.redis import keyspace
from workers.outbound.client import Egress

FETCH_SECONDS = 30.0
MAX_BYTES = 10_485_760
MAX_REDIRECTS = 3
MAX_AT_ONCE = 32
MAX_OF_AN_ACCOUNT = 2

logger = logging.getLogger(__name__)


class CoverFetcher:
    """Takes hints of covers and fetches them in the background.

    A hint beyond the limits is dropped: the next look at the cover sends another. `release` is
    called once for each hint.
    """

    def __init__(
        self,
        store: Store,
        media_service: MediaService,
        egress: Egress,
        release: Callable[[], None],
    ) -> None:
        self._store = store
        self._media_service = media_service
        self._egress = egress
        self._release = release
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._of_accounts: Counter[str] = Counter()
        self._is_stopped = False

    def take_hint(self, reference: str) -> None:
        """Fetch the cover of a workflow in the background."""
        if not keyspace.is_reference(reference) or self._is_stopped or reference in self._tasks:
            self._release()
            return
        account_id, slug = keyspace.parse_reference(reference)
        is_full = len(self._tasks) >= MAX_AT_ONCE
        if is_full or self._of_accounts[account_id] >= MAX_OF_AN_ACCOUNT:
            self._release()
            return
        self._of_accounts[account_id] += 1
        task = asyncio.get_running_loop().create_task(self._fetch(account_id, slug))
        self._tasks[reference] = task
        task.add_done_callback(lambda _: self._done(reference, account_id))

    def _done(self, reference: str, account_id: str) -> None:
        del self._tasks[reference]
        self._of_accounts[account_id] -= 1
        if not self._of_accounts[account_id]:
            del self._of_accounts[account_id]
        self._release()

    async def stop(self) -> None:
        """Cancel fetches that are under way: the next look at each cover asks for it again."""
        self._is_stopped = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, account_id: str, slug: str) -> None:
        try:
            await self._fetch_wanted(account_id, slug)
        except EngineError as error:
            logger.warning(
                "a cover was not fetched",
                extra={"account_id": account_id, "slug": slug, "reason": str(error)},
            )
        except Exception:
            logger.exception(
                "a cover was not fetched", extra={"account_id": account_id, "slug": slug}
            )

    async def _fetch_wanted(self, account_id: str, slug: str) -> None:
        try:
            cover = (await self._store.workflow_list.find(account_id, slug)).cover
        except NotFound:
            return
        if cover is None or is_asset_id(cover):
            return
        asset_id, _ = await self._store.covers.request(account_id, slug, cover)
        if asset_id is not None:
            return
        try:
            asset = await self._copy(account_id, cover)
        except (NodeFailed, UnsupportedMediaType, BodyTooLarge, StorageFailed) as failure:
            logger.info(
                "a cover cannot be had",
                extra={"account_id": account_id, "slug": slug, "reason": str(failure)},
            )
            await self._store.covers.record(account_id, slug, cover, None)
            return
        await self._store.assets.retain_for_workflow(account_id, asset.id, slug)
        if await self._store.covers.record(account_id, slug, cover, asset.id):
            await self._store.account_events.record_workflow(account_id, slug)

    async def _copy(self, account_id: str, url: str) -> Asset:
        stored: list[Asset] = []

        async def take(answer: HttpAnswer, pieces: AsyncIterator[bytes]) -> None:
            if answer.status != 200:
                raise NodeFailed(BAD_RESPONSE, f"The cover is answered with {answer.status}")
            stored.append(
                await self._media_service.save(
                    account_id,
                    UNTYPED,  # declared types are often wrong: the bytes decide
                    pieces,
                    source=AssetSource.PROVIDER,
                    medium=MediaKind.IMAGE,
                )
            )

        call = HttpCall(
            method="GET",
            url=url,
            timeout_seconds=FETCH_SECONDS,
            max_bytes=MAX_BYTES,
            max_redirects=MAX_REDIRECTS,
            account_id=account_id,
            consume=take,
        )
        await self._egress.fetch(call)
        return stored[0]
