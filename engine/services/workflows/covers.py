"""Links to the covers of workflows. A cover elsewhere is fetched once, by a worker, and kept."""

from engine.errors import AssetNotFound, EngineError, StorageFailed
from engine.media.ids import is_asset_id
from engine.services.media import MediaService
from engine.store import Store, WorkflowSummary
from engine.store.redis import keyspace


async def cover_url(
    store: Store, media_service: MediaService, summary: WorkflowSummary
) -> str | None:
    """Return a link for a day to a cover; None without one, and where its asset is gone.

    A cover at a URL has none until a worker has fetched it, which the first look begins.
    """
    account_id, cover = summary.account_id, summary.cover
    if cover is None or not media_service.is_set:
        return None
    try:
        if is_asset_id(cover):
            return await _link(media_service, account_id, cover)
        asset_id, is_due = await store.covers.request(account_id, summary.slug, cover)
        if asset_id is not None:
            link = await _link(media_service, account_id, asset_id)
            if link is not None:
                return link
            _, is_due = await store.covers.request(account_id, summary.slug, cover, gone=asset_id)
        if is_due:
            store.hints.send_cover_soon(keyspace.reference(account_id, summary.slug))
    except EngineError:
        pass  # a list is shown without its pictures
    return None


async def _link(media_service: MediaService, account_id: str, asset_id: str) -> str | None:
    try:
        return media_service.link(await media_service.get(account_id, asset_id))
    except (AssetNotFound, StorageFailed):
        return None
