"""Media for nodes: our own assets from their store, all others over HTTP."""

from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import HttpCall
from engine.nodes.support.image_edits import MAX_SOURCE_BYTES
from workers.providers.base import Fetcher, MediaStore

MEDIA_SECONDS = 30.0
MAX_REDIRECTS = 3


async def fetch_media(
    url: str, account_id: str, media_store: MediaStore, fetcher: Fetcher, owner_id: str = ""
) -> bytes:
    """Fetch the bytes at a URL; `owner_id` may own the medium too. Raises NodeFailed."""
    data = await media_store.read(account_id, url, MAX_SOURCE_BYTES, owner_id)
    if data is not None:
        return data
    call = HttpCall(
        method="GET",
        url=url,
        timeout_seconds=MEDIA_SECONDS,
        max_bytes=MAX_SOURCE_BYTES,
        max_redirects=MAX_REDIRECTS,
        account_id=account_id,
        owner_id=owner_id,
    )
    answer = await fetcher.fetch(call)
    if answer.status >= 400:
        message = f"The server that has the medium answered {answer.status}"
        is_retryable = answer.status in (408, 425, 429) or answer.status >= 500
        raise NodeFailed("http_status", message, retryable=is_retryable)
    return answer.body
