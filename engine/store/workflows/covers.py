"""Pictures at the URLs of covers, which are fetched once and stored as assets."""

import hashlib

from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS

ASKED_MS = 120_000
"""Time after which a requested picture is requested again: the hint may be lost."""
FAILED_MS = 6 * 3_600_000
"""Time after which a picture that could not be fetched is requested again."""


class Covers:
    """Records which asset is the picture at the URL of a workflow's cover."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def request(
        self, account_id: str, slug: str, url: str, *, gone: str = ""
    ) -> tuple[str | None, bool]:
        """Return the asset of the picture, and whether the caller should have it fetched now.

        `gone` is an asset that was recorded and is deleted. Raises Unavailable.
        """
        asset_id, is_due = await self._client.call(
            SCRIPTS["request_cover"],
            workflow=keyspace.workflow(account_id, slug),
            digest=_digest(url),
            quiet_ms=ASKED_MS,
            gone=gone,
        )
        return asset_id.decode() or None, bool(is_due)

    async def record(self, account_id: str, slug: str, url: str, asset_id: str | None) -> bool:
        """Record the asset of the picture, or None that it could not be fetched.

        Returns False when the workflow is gone or has another cover. Raises Unavailable.
        """
        is_recorded = await self._client.call(
            SCRIPTS["record_cover"],
            workflow=keyspace.workflow(account_id, slug),
            digest=_digest(url),
            asset=asset_id,
            quiet_ms=0 if asset_id else FAILED_MS,
        )
        return bool(is_recorded)


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:32]
