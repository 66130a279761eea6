"""Quota of documents: limits of the tiers, and the counted documents of an account."""

from collections.abc import Sequence
from typing import Any

from engine.access.tiers import Tiers
from engine.errors import QuotaExceeded
from engine.store.redis.client import Client
from engine.store.redis.scripts import Script

QUOTAS = {b"workflows": "workflows", b"bytes": "documentBytes"}
"""Quota names in errors by the script's names."""


class DocumentQuota:
    """Calls the scripts that write documents, with the limits of every tier."""

    def __init__(self, client: Client, tiers: Tiers) -> None:
        self._client = client
        self._limits = _limits(tiers)

    async def call(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Call a script with the limits behind its arguments."""
        return await self._client.call(script, keys, [*args, *self._limits])


def exceeded(reply: Sequence[Any]) -> QuotaExceeded:
    """Return the error of a script's reply `{'full', quota, used, limit}`."""
    return QuotaExceeded(QUOTAS[reply[1]], used=int(reply[2]), limit=int(reply[3]))


def _limits(tiers: Tiers) -> list[str]:
    """Return tier and limits of every tier as arguments of the scripts."""

    def shown(limit: int | None) -> str:
        return "" if limit is None else str(limit)

    return [
        word
        for tier, terms in tiers.by_tier.items()
        for word in (tier.value, f"{shown(terms.workflows)}:{shown(terms.document_bytes)}")
    ]
