"""Quota of documents: limits of the tiers, and the counted documents of an account."""

import asyncio
from collections.abc import Sequence
from typing import Any

from engine.access.tiers import Tiers
from engine.errors import QuotaExceeded
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS, Script

COUNTED_AT_ONCE = 100
QUOTAS = {b"workflows": "workflows", b"bytes": "documentBytes"}
"""Quota names in errors by the script's names."""


class DocumentQuota:
    """Calls the scripts that write documents, with the limits of every tier."""

    def __init__(self, client: Client, tiers: Tiers) -> None:
        self._client = client
        self._limits = _limits(tiers)

    async def call(
        self, script: Script, account_id: str, keys: Sequence[str], args: Sequence[Any]
    ) -> Any:
        """Call a script with the limits behind its arguments; count first where it asks to."""
        reply = await self._client.call(script, keys, [*args, *self._limits])
        if reply[0] == b"uncounted":
            await self._count(account_id)
            reply = await self._client.call(script, keys, [*args, *self._limits])
        return reply

    async def _count(self, account_id: str) -> None:
        """Count the workflows of an account that predate the count of documents."""
        stored = keyspace.stored_documents(account_id)
        names = await self._client.send("SMEMBERS", keyspace.account_workflows(account_id))
        slugs = [name.decode() for name in names]
        for start in range(0, len(slugs), COUNTED_AT_ONCE):
            some = slugs[start : start + COUNTED_AT_ONCE]
            keys = ([keyspace.workflow(account_id, slug), stored] for slug in some)
            counting = (self._client.call(SCRIPTS["count_workflow"], each, []) for each in keys)
            await asyncio.gather(*counting)
        await self._client.send("HSET", stored, "counted", 1)


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
