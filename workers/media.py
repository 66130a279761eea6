"""Media that nodes work on: our own assets from their store, all others by the way out."""

from typing import Protocol

from engine.images import MAX_SOURCE_BYTES
from engine.nodes.base import HttpCall, NodeFailed
from workers.models import Fetcher

MEDIA_SECONDS = 30.0
MAX_REDIRECTS = 3


class MediaStore(Protocol):
    """Where the media of accounts are."""

    async def read(self, account_id: str, url: str, max_bytes: int) -> bytes | None:
        """The account's own medium at one of our URLs, None for any other URL.

        Raises NodeFailed.
        """
        ...

    async def keep(self, account_id: str, data: bytes, content_type: str) -> str:
        """Store a medium, and give the URL that it has from now on. Raises NodeFailed."""
        ...


class NoMediaStore(MediaStore):
    """Where there is no place for media."""

    async def read(self, account_id: str, url: str, max_bytes: int) -> bytes | None:
        return None

    async def keep(self, account_id: str, data: bytes, content_type: str) -> str:
        raise NodeFailed("storage_error", "There is no place to keep what the node makes")


async def fetch_media(url: str, account_id: str, store: MediaStore, fetcher: Fetcher) -> bytes:
    """The bytes at a URL. Raises NodeFailed."""
    data = await store.read(account_id, url, MAX_SOURCE_BYTES)
    if data is not None:
        return data
    call = HttpCall(
        method="GET",
        url=url,
        timeout_seconds=MEDIA_SECONDS,
        max_bytes=MAX_SOURCE_BYTES,
        max_redirects=MAX_REDIRECTS,
        account_id=account_id,
    )
    answer = await fetcher.fetch(call)
    if answer.status >= 400:
        message = f"The server that has the medium answered {answer.status}"
        is_retryable = answer.status in (408, 425, 429) or answer.status >= 500
        raise NodeFailed("http_status", message, retryable=is_retryable)
    return answer.body
