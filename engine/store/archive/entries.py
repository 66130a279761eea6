"""Entries of ledgers and of the audit log after a position, for the history."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from engine.ids import partitions
from engine.store.accounts.wallets import LedgerEntry, parse_entry
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS

ENTRIES_AT_ONCE = 500


def audit_streams() -> range:
    """Return the numbers of the audit log's streams: one per partition, the last for models."""
    return range(partitions.count() + 1)


@dataclass(frozen=True, slots=True, order=True)
class StreamPosition:
    """Id of an entry of a stream: time in milliseconds and number."""

    at: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the position of an entry's id."""
        at, _, number = text.partition("-")
        return cls(int(at), int(number))

    def __str__(self) -> str:
        return f"{self.at}-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPart:
    """Entries of a ledger after a position, and the sums of the folded entries."""

    entries: Sequence[tuple[StreamPosition, LedgerEntry]]
    carried: dict[str, int]
    """Credits by bucket, and the reserved ones under an empty name."""
    is_all: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPart:
    """Entries of one stream of the audit log after a position, as texts by name."""

    entries: Sequence[tuple[StreamPosition, dict[str, str]]]
    is_all: bool


class ArchivedEntries:
    """Reads entries for the archiver, and marks those in the history."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def ledger(self, account_id: str, after: StreamPosition | None) -> LedgerPart:
        """Return the next entries of an account's ledger; None: from the oldest on."""
        entries, sums = await self._client.call(
            SCRIPTS["read_ledger"],
            wallet=keyspace.wallet(account_id),
            ledger=keyspace.ledger(account_id),
            after=str(after) if after else None,
            most=ENTRIES_AT_ONCE,
        )
        return LedgerPart(
            entries=[(_position(name), parse_entry(name, parts)) for name, parts in entries],
            carried=dict(_carried(sums)),
            is_all=len(entries) < ENTRIES_AT_ONCE,
        )

    async def mark_ledger(self, account_id: str, last: StreamPosition) -> None:
        """Let entries up to the last archived one be folded when they are old enough."""
        await self._client.call(
            SCRIPTS["mark_ledger_archived"], wallet=keyspace.wallet(account_id), entry=str(last)
        )

    async def last_audit(self, stream: int) -> StreamPosition | None:
        """Return the position of the last entry of a stream of the audit log; None: it is empty."""
        entries = await self._client.send("XREVRANGE", _audit_key(stream), "+", "-", "COUNT", 1)
        return _position(entries[0][0]) if entries else None

    async def audit(self, stream: int, after: StreamPosition | None) -> AuditPart:
        """Return the next entries of a stream of the audit log; None: from the oldest on."""
        key = _audit_key(stream)
        first = f"({after}" if after else "-"
        entries = await self._client.send("XRANGE", key, first, "+", "COUNT", ENTRIES_AT_ONCE)
        return AuditPart(
            entries=[(_position(name), _texts(parts)) for name, parts in entries],
            is_all=len(entries) < ENTRIES_AT_ONCE,
        )

    async def accounts(self, start: int, count: int) -> list[str]:
        """Return ids of accounts, by their creation."""
        key = keyspace.account_ids()
        account_ids = await self._client.send("ZRANGE", key, start, start + count - 1)
        return [each.decode() for each in account_ids]


def _audit_key(stream: int) -> str:
    is_of_models = stream == partitions.count()
    return keyspace.models_audit() if is_of_models else keyspace.audit(stream)


def _position(name: bytes) -> StreamPosition:
    return StreamPosition.parse(name.decode())


def _carried(flat: Sequence[bytes]) -> Iterator[tuple[str, int]]:
    for index in range(0, len(flat), 2):
        yield flat[index].decode()[2:], int(flat[index + 1])


def _texts(parts: Sequence[Any]) -> dict[str, str]:
    return {
        parts[index].decode(): parts[index + 1].decode(errors="replace")
        for index in range(0, len(parts), 2)
    }
