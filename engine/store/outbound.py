"""Outbound calls of accounts, counted over all workers in fixed windows by Redis's clock."""

import hashlib
from dataclasses import dataclass

from engine import keyspace
from engine.partitions import partition_of
from engine.store.client import Client
from engine.store.limits import WINDOW_MS
from engine.store.scripts import SCRIPTS
from engine.tiers import Terms, Tiers


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Calls that may be made until the window ends; None: any number."""

    calls: int | None
    seconds: float


class Outbound:
    """Gives out what a tier allows an account to call in a minute, several calls at a time."""

    def __init__(self, client: Client, tiers: Tiers) -> None:
        self._client = client
        self._limits = [
            word
            for tier, terms in tiers.by_tier.items()
            if any(limits := _limits(terms))
            for word in (tier.value, *limits)
        ]

    async def lease(self, account_id: str, host: str, *, calls: int, sent: int) -> Lease:
        """Up to so many calls to a host, and count the bytes that went since the last time."""
        digest = hashlib.sha256(host.encode()).hexdigest()[:16]
        granted, milliseconds = await self._client.call(
            SCRIPTS["lease_outbound"],
            [
                keyspace.accounts(partition_of(account_id)),
                keyspace.outbound(account_id),
            ],
            [0, account_id, digest, WINDOW_MS, calls, sent, *self._limits],
        )
        return Lease(
            calls=None if int(granted) < 0 else int(granted), seconds=int(milliseconds) / 1000
        )


def _limits(terms: Terms) -> tuple[int, int, int]:
    """Calls, calls to one host, bytes; 0 where there is no limit."""
    return (
        terms.outbound_calls_per_minute or 0,
        terms.outbound_calls_per_host or 0,
        terms.outbound_bytes_per_minute or 0,
    )
