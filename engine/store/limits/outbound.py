"""Outbound calls of accounts, counted over all workers in fixed windows of Redis's clock."""

import hashlib
from dataclasses import dataclass

from engine.access.tiers import Tiers, TierTerms
from engine.ids.partitions import partition_of
from engine.store.accounts.rate_limits import WINDOW_MS
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAllowance:
    """Calls permitted until the window ends; None: unlimited."""

    calls: int | None
    seconds: float


class OutboundCalls:
    """Grants the outbound calls of a tier per minute, several at a time."""

    def __init__(self, client: Client, tiers: Tiers) -> None:
        self._client = client
        self._limits = [
            word
            for tier, terms in tiers.by_tier.items()
            if any(limits := _limits(terms))
            for word in (tier.value, *limits)
        ]

    async def lease(self, account_id: str, host: str, *, calls: int, sent: int) -> CallAllowance:
        """Grant up to `calls` calls to a host, and count the bytes sent since the last lease."""
        digest = hashlib.sha256(host.encode()).hexdigest()[:16]
        granted, milliseconds = await self._client.call(
            SCRIPTS["lease_outbound"],
            accounts=keyspace.accounts(partition_of(account_id)),
            outbound=keyspace.outbound(account_id),
            account=account_id,
            host=digest,
            window_ms=WINDOW_MS,
            calls=calls,
            bytes=sent,
            limits=self._limits,
        )
        return CallAllowance(
            calls=None if int(granted) < 0 else int(granted), seconds=int(milliseconds) / 1000
        )


def _limits(terms: TierTerms) -> tuple[int, int, int]:
    """Return limits of calls, calls to one host and bytes; 0: unlimited."""
    return (
        terms.outbound_calls_per_minute or 0,
        terms.outbound_calls_per_host or 0,
        terms.outbound_bytes_per_minute or 0,
    )
