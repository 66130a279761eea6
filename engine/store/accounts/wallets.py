"""Wallets: credits of accounts, and the ledger of every movement."""

import asyncio
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.access.tiers import TierTerms
from engine.billing.credits import MAX_CREDITS
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store.audit import COMMAND, AuditAction, AuditedAct, AuditLog
from engine.store.executions.unfinished import unfinished_ids
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.values.plain import moment

EXPIRED = "The time at which the credits expire is over"
TOO_MANY = "That is more than an account can have"
LEDGER_PAGE = 1_000
CHECKS = 20
"""Most reads of a wallet that changes during a check."""
PAUSE_SECONDS = 0.05
TOO_FAST = "the account spends faster than it can be checked; try again later"
OPERATION = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """Purchased credits. `expires_at` is in milliseconds, None for never."""

    credits: int
    expires_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """Credits that an account can spend, without the credits that executions have reserved."""

    balance: int
    allowance: int
    """Remaining allowance, part of the balance."""
    top_ups: tuple[TopUp, ...]
    """Top-ups in the order in which they are spent, after the allowance."""
    reserved: int
    refreshed_at: int | None
    """Time of the last allowance in milliseconds; None before the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One movement of credits. `at` is in milliseconds."""

    at: int
    kind: str
    bucket: str
    credits: int
    """Change of the balance."""
    reserved: int
    """Change of the credits reserved by executions."""
    balance: int
    """Balance after the movement."""
    execution_id: str | None
    node: int | None
    """Index of the charged node."""
    note: str | None = None
    """Note of a top-up."""
    child_id: str | None = None
    """Execution below `execution_id` that has the node; None: that execution has it itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerKeeping:
    """Time for which Redis keeps entries of ledgers, before it folds them into sums.

    With a history, Redis keeps archived entries for as long as executions, and all others until
    they are archived.
    """

    milliseconds: int
    has_history: bool

    @classmethod
    def from_settings(cls, settings: Settings) -> "LedgerKeeping":
        """Return the keeping of the settings."""
        if settings.database_url:
            return cls(milliseconds=settings.hot_ms, has_history=True)
        return cls(milliseconds=int(settings.retention_days * 86_400_000), has_history=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """Newest entries of a ledger, newest first, and the number of its unfolded entries."""

    entries: tuple[LedgerEntry, ...]
    total: int


class Wallets:
    """Reads, tops up and checks wallets; scripts of executions move credits too."""

    def __init__(self, client: Client, keeping: LedgerKeeping, audit: AuditLog) -> None:
        self._client = client
        self._audit = audit
        self._keeping = keeping

    async def get(self, account_id: str, terms: TierTerms) -> Wallet:
        """Return the account's wallet, after granting a due allowance."""
        reply = await self._client.call(
            SCRIPTS["read_wallet"],
            wallet=keyspace.wallet(account_id),
            ledger=keyspace.ledger(account_id),
            terms=terms_text(terms, self._keeping),
        )
        return _parse(reply)

    async def top_up(
        self,
        account_id: str,
        terms: TierTerms,
        credits: int,
        *,
        expires_at: int | None = None,
        operation: str | None = None,
        note: str = "",
        by: str = COMMAND,
    ) -> None:
        """Add credits that expire at a time in milliseconds, or never.

        The ledger and the audit log have the note.

        A repeated `operation` (letters, digits and hyphens) adds nothing. Raises ValueError when
        the credits are below 1, exceed the largest number or have expired, and for an operation of
        other characters.
        """
        if not _is_amount(credits):
            raise ValueError(f"{credits!r} is not a whole number of credits, 1 or more")
        if expires_at is not None and not _is_amount(expires_at):
            raise ValueError(f"{expires_at!r} is not a time in milliseconds")
        if operation is not None and OPERATION.fullmatch(operation) is None:
            raise ValueError(f"{operation!r} is not letters, digits and hyphens")
        operation = operation or uuid.uuid4().hex
        facts = {"credits": credits, "expiresAt": moment(expires_at), "note": note or None}
        act = AuditedAct(by=by, action=AuditAction.ACCOUNT_CREDIT, subject=account_id, after=facts)
        reply = await self._client.call(
            SCRIPTS["top_up"],
            wallet=keyspace.wallet(account_id),
            ledger=keyspace.ledger(account_id),
            top_up=keyspace.top_up(account_id, operation),
            audit=keyspace.audit(partition_of(account_id)),
            operation=operation,
            credits=credits,
            lapses_at=expires_at or 0,
            terms=terms_text(terms, self._keeping),
            act=self._audit.arguments(act),
            reason=note,
        )
        if reply[0] == b"late":
            raise ValueError(EXPIRED)
        if reply[0] == b"many":
            raise ValueError(TOO_MANY)

    async def entries(self, account_id: str, limit: int) -> LedgerPage:
        """Return at most `limit` newest entries of the account's ledger."""
        key = keyspace.ledger(account_id)
        newest, total = await asyncio.gather(
            self._client.send("XREVRANGE", key, "+", "-", "COUNT", limit),
            self._client.send("XLEN", key),
        )
        return LedgerPage(entries=tuple(parse_entry(*each) for each in newest or ()), total=total)

    async def check(self, account_id: str) -> list[str]:
        """Return the discrepancies of the account's ledger; none when it adds up.

        The ledger of a spending account is read again until it stays unchanged.
        """
        for _ in range(CHECKS):
            before = await read_state(self._client, account_id)
            sums = await self._sums(account_id, before)
            open_reserves = await self._open_reserves(account_id)
            if await read_state(self._client, account_id) == before:
                return list(differences(before, sums, open_reserves))
            await asyncio.sleep(PAUSE_SECONDS)
        return [TOO_FAST]

    async def _sums(self, account_id: str, facts: dict[str, int]) -> Counter[str]:
        """Return the ledger's sums by bucket, with reserved credits under an empty name."""
        sums = Counter({name[2:]: value for name, value in facts.items() if name[:2] == "c:"})
        sums[""] = facts.get("c", 0)
        start = "-"
        while True:
            page = await self._client.send(
                "XRANGE", keyspace.ledger(account_id), start, "+", "COUNT", LEDGER_PAGE
            )
            for _, parts in page:
                entry = dict(zip(parts[::2], parts[1::2], strict=True))
                sums[entry[b"bucket"].decode()] += int(entry[b"credits"])
                sums[""] += int(entry[b"reserved"])
            if len(page) < LEDGER_PAGE:
                return sums
            start = "(" + page[-1][0].decode()

    async def _open_reserves(self, account_id: str) -> int:
        ids = await unfinished_ids(self._client, account_id)
        keys = [keyspace.execution(account_id, each) for each in ids]
        reserves = await asyncio.gather(
            *(self._client.send("HMGET", key, "reserved", "captured") for key in keys)
        )
        parts = [part for texts in reserves for text in texts if text for part in text.split(b",")]
        return sum(int(part.rpartition(b"=")[2]) for part in parts)


def _is_amount(value: object) -> bool:
    return type(value) is int and 0 < value <= MAX_CREDITS


def terms_text(terms: TierTerms, keeping: LedgerKeeping) -> str:
    """Return terms as scripts read them: allowance, whether granted once, and the keeping."""
    alone = "" if keeping.has_history else ":1"
    return f"{terms.allowance}:{int(terms.allowance_once)}:{keeping.milliseconds}{alone}"


def _parse(reply: Sequence[Any]) -> Wallet:
    reserved, refreshed, *words = reply
    pairs = zip(words[::2], words[1::2], strict=True)
    left = [(bucket.decode(), int(credits)) for bucket, credits in pairs]
    return Wallet(
        balance=sum(credits for _, credits in left),
        allowance=sum(credits for bucket, credits in left if bucket[0] == "m"),
        top_ups=tuple(
            TopUp(credits=credits, expires_at=int(bucket[1:].partition(".")[0]) or None)
            for bucket, credits in left
            if bucket[0] == "t" and credits
        ),
        reserved=int(reserved),
        refreshed_at=int(refreshed) if refreshed else None,
    )


def parse_entry(entry_id: bytes, parts: Sequence[bytes]) -> LedgerEntry:
    """Return one entry of a ledger's stream."""
    of = {parts[i].decode(): parts[i + 1].decode() for i in range(0, len(parts), 2)}
    return LedgerEntry(
        at=int(entry_id.partition(b"-")[0]),
        kind=of["kind"],
        bucket=of["bucket"],
        credits=int(of["credits"]),
        reserved=int(of["reserved"]),
        balance=int(of["balance"]),
        execution_id=of.get("execution"),
        child_id=of.get("child"),
        node=int(of["node"]) if "node" in of else None,
        note=of.get("note"),
    )


async def read_state(client: Client, account_id: str) -> dict[str, int]:
    """Return the credits of a wallet by bucket, the reserved ones, and the carried sums."""
    flat = await client.send("HGETALL", keyspace.wallet(account_id))
    facts = {name.decode(): value.decode() for name, value in flat.items()}
    return {
        name: int(value)
        for name, value in facts.items()
        if name[:2] in ("b:", "c:") or name in ("c", "reserved")
    }


def differences(facts: dict[str, int], sums: Counter[str], open_reserves: int) -> Iterator[str]:
    """Yield the discrepancies between a wallet, the sums of its ledger, and the executions."""
    left = {name[2:]: value for name, value in facts.items() if name[:2] == "b:"}
    for bucket in sorted(left.keys() | sums.keys() - {""}):
        if left.get(bucket, 0) != sums[bucket]:
            yield f"bucket {bucket}: ledger {sums[bucket]}, wallet {left.get(bucket, 0)}"
        if left.get(bucket, 0) < 0:
            yield f"bucket {bucket}: {left[bucket]} credits, less than none"
    reserved = facts.get("reserved", 0)
    if not reserved == sums[""] == open_reserves:
        yield f"reserved: ledger {sums['']}, wallet {reserved}, executions {open_reserves}"
