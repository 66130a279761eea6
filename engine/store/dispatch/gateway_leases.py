"""Leases of gateways on the waits of their callers, and the search for waits of dead gateways."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from engine.store.executions.unfinished import unfinished_sets
from engine.store.redis import keyspace, process_keys
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS


@dataclass(frozen=True, slots=True)
class GatewayLease:
    """Lease of a gateway process. Times are in milliseconds of Redis's clock."""

    channel: str
    """Channel of its notifier, which executions with a waiting caller have on record."""
    renewed_at: int
    ends_at: int

    @property
    def stored(self) -> str:
        """The lease in its stored form."""
        return f"{self.renewed_at}:{self.ends_at}"

    def covers(self, now: int) -> bool:
        """Return whether the gateway may live.

        One that lives renews its lease soon after Redis's clock was set back.
        """
        return now < self.ends_at and self.renewed_at - now < self.ends_at - self.renewed_at


@dataclass(frozen=True, slots=True)
class WaitedExecution:
    """Execution for whose end a caller of a gateway waits, or has waited."""

    account_id: str
    execution_id: str
    key_id: str
    channel: str
    ended_at: int | None
    """Time of its end in milliseconds; None: it goes on."""


class GatewayLeases:
    """Reads and transitions of the leases of gateways."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def renew(self, channel: str, lease_ms: int) -> None:
        """Begin or renew a lease."""
        await self._client.call(
            SCRIPTS["beat_gateway"],
            gateways=process_keys.gateways(),
            channel=channel,
            lease_ms=lease_ms,
        )

    async def resign(self, channel: str) -> None:
        """End the lease of a gateway whose callers do not wait any more."""
        await self._client.send("HDEL", process_keys.gateways(), channel)

    async def all(self) -> list[GatewayLease]:
        """Return all leases, expired ones included."""
        found = await self._client.send("HGETALL", process_keys.gateways())
        return [_parse(channel.decode(), lease.decode()) for channel, lease in found.items()]

    async def remove(self, lease: GatewayLease) -> bool:
        """Remove a dead gateway; False: it has renewed its lease."""
        removed = await self._client.call(
            SCRIPTS["remove_gateway"],
            gateways=process_keys.gateways(),
            channel=lease.channel,
            lease=lease.stored,
        )
        return bool(removed)

    async def unfinished(self, account_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Return the sets of executions that have not ended, each with its account and its key."""
        keys = [(each, key) for each in account_ids for key in unfinished_sets(each)]
        counts = await asyncio.gather(*(self._client.send("SCARD", key) for _, key in keys))
        return [pair for pair, count in zip(keys, counts, strict=True) if int(count)]

    async def page(
        self, account_id: str, key: str, cursor: bytes, count: int
    ) -> tuple[bytes, Sequence[str]]:
        """Return the next cursor and about `count` references of one of these sets.

        The scan begins with the cursor `0` and ends with it; a reference may be repeated.
        """
        following, ids = await self._client.send("SSCAN", key, cursor, "COUNT", count)
        return following, [keyspace.reference(account_id, each.decode()) for each in ids]

    async def ended(self, partition: int, since: int, start: int, count: int) -> Sequence[str]:
        """Return references of executions that ended since a time, `count` from this position."""
        found = await self._client.send(
            *("ZRANGE", keyspace.finished(partition), since, "+inf"),
            *("BYSCORE", "LIMIT", start, count),
        )
        return [each.decode() for each in found]

    async def waited(
        self, references: Iterable[str], channels: Collection[str]
    ) -> list[WaitedExecution]:
        """Return the executions that have one of these channels on record."""
        names = [keyspace.parse_reference(each) for each in references]
        records = await asyncio.gather(
            *(
                self._client.send(
                    "HMGET", keyspace.execution(*each), "notifier", "key", "completed"
                )
                for each in names
            )
        )
        return [
            WaitedExecution(
                account_id=account_id,
                execution_id=execution_id,
                key_id=(key_id or b"").decode(),
                channel=notifier.decode(),
                ended_at=None if completed is None else int(completed),
            )
            for (account_id, execution_id), (notifier, key_id, completed) in zip(
                names, records, strict=True
            )
            if notifier is not None and notifier.decode() in channels
        ]


def _parse(channel: str, lease: str) -> GatewayLease:
    renewed_at, _, ends_at = lease.partition(":")
    return GatewayLease(channel, int(renewed_at), int(ends_at))
