"""Accounts: owners and payers of workflows and executions."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from engine.access.capabilities import Role, Tier
from engine.errors import AccountNotFound, InvalidCursor, LastAdmin, RecordTooNew
from engine.ids.partitions import partition_of
from engine.store.accounts.last_admin import AdminGuarantees
from engine.store.audit import COMMAND, AuditAction, AuditedAct, AuditLog
from engine.store.formats import Format
from engine.store.redis import channels, keyspace
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack, unpack
from engine.store.redis.scripts import SCRIPTS

EXAMINED_AT_MOST = 5_000
"""Accounts examined for one page of those that match a text."""
EXAMINED_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account. `created_at` is in milliseconds since the epoch."""

    id: str
    email: str
    tier: Tier
    role: Role
    approved: bool
    created_at: int

    @property
    def limits_name(self) -> str:
        """Name of the limits that scripts apply."""
        return _limits_name(self.role, self.tier)


class Accounts:
    """Creates, reads, changes and lists accounts."""

    def __init__(self, client: Client, audit: AuditLog) -> None:
        self._client = client
        self._audit = audit
        self._guarantees = AdminGuarantees(client)

    async def create(
        self,
        *,
        email: str,
        tier: Tier,
        role: Role = Role.USER,
        approved: bool = True,
        by: str = COMMAND,
    ) -> Account:
        """Create an account. Raises ValueError for an invalid e-mail address."""
        if "@" not in email or len(email) > 254 or any(c.isspace() for c in email):
            raise ValueError(f"{email!r} is not an e-mail address")
        seconds, micros = await self._client.send("TIME")
        account = Account(
            id="acc_" + secrets.token_hex(16),
            email=email,
            tier=Tier(tier),
            role=Role(role),
            approved=approved,
            created_at=int(seconds) * 1000 + int(micros) // 1000,
        )
        partition = partition_of(account.id)
        facts = {"email": email, "tier": account.tier, "role": account.role, "approved": approved}
        act = AuditedAct(by=by, action=AuditAction.ACCOUNT_CREATE, subject=account.id, after=facts)
        await self._client.call(
            SCRIPTS["create_account"],
            accounts=keyspace.accounts(partition),
            audit=keyspace.audit(partition),
            account=account.id,
            record=pack_account(account),
            act=self._audit.arguments(act),
        )
        await self._client.send("ZADD", keyspace.account_ids(), account.created_at, account.id)
        return account

    async def get(self, account_id: str) -> Account:
        """Return the account. Raises AccountNotFound."""
        partition = partition_of(account_id)
        data = await self._client.send("HGET", keyspace.accounts(partition), account_id)
        if data is None:
            raise AccountNotFound(account_id)
        return parse_account(data)

    async def approve(self, account_id: str) -> Account:
        """Approve the account, from its very next request on. Raises AccountNotFound."""
        return await self.change(account_id, approved=True)

    async def set_tier(self, account_id: str, tier: Tier) -> Account:
        """Move the account to a tier, from its very next request on.

        Raises AccountNotFound.
        """
        return await self.change(account_id, tier=tier)

    async def change(
        self,
        account_id: str,
        *,
        approved: bool | None = None,
        tier: Tier | None = None,
        role: Role | None = None,
        by: str = COMMAND,
    ) -> Account:
        """Change the given members, from the account's very next request on.

        Raises AccountNotFound, or LastAdmin when the last admin would lose the role.
        """
        given = {"approved": approved, "tier": tier and Tier(tier), "role": role and Role(role)}
        members = {name: value for name, value in given.items() if value is not None}
        try:
            return await self._change(account_id, members, by)
        except LastAdmin:
            guarantee = await self._guarantees.guarantee_outside(partition_of(account_id))
            if guarantee is None:
                raise
        try:
            return await self._change(account_id, members, by, guarantee.until)
        finally:
            await self._guarantees.release(guarantee)

    async def _change(
        self, account_id: str, members: Mapping[str, Any], by: str, guaranteed_until: int = 0
    ) -> Account:
        partition = partition_of(account_id)
        accounts = keyspace.accounts(partition)
        while True:
            before = await self._client.send("HGET", accounts, account_id)
            if before is None:
                raise AccountNotFound(account_id)
            record = _unpack_record(before)
            new = {name: value for name, value in members.items() if record[name] != value}
            if not new:
                return parse_account(before)
            after = _pack_record(record | new)
            act = AuditedAct(
                by=by,
                action=AuditAction.ACCOUNT_CHANGE,
                subject=account_id,
                before={name: record[name] for name in new},
                after=new,
            )
            verdict = await self._client.call(
                SCRIPTS["replace_account"],
                accounts=accounts,
                admin_guarantees=keyspace.admin_guarantees(partition),
                audit=keyspace.audit(partition),
                account=account_id,
                record=before,
                new_record=after,
                guaranteed_until=guaranteed_until,
                access_changes=channels.access_changes(),
                act=self._audit.arguments(act),
            )
            if verdict == b"ok":
                return parse_account(after)
            if verdict == b"last":
                raise LastAdmin

    async def page(
        self, *, limit: int, after: str | None = None, email: str = ""
    ) -> tuple[list[Account], str | None]:
        """Return accounts, newest first, and the cursor of the next page.

        With `email`, those whose address has that text in it, in any case; a page may then have
        fewer than `limit`, although there is a next one. Raises InvalidCursor when `after` is not
        an account.
        """
        start = 0
        if after is not None:
            rank = await self._client.send("ZREVRANK", keyspace.account_ids(), after)
            if rank is None:
                raise InvalidCursor
            start = int(rank) + 1
        size = EXAMINED_AT_ONCE if email else limit + 1
        accounts: list[Account] = []
        for low in range(start, start + EXAMINED_AT_MOST, size):
            examined, is_end = await self._newest(low, size)
            for account in examined:
                if email.lower() not in account.email.lower():
                    continue
                if len(accounts) == limit:
                    return accounts, accounts[-1].id
                accounts.append(account)
            if is_end:
                return accounts, None
        return accounts, examined[-1].id

    async def _newest(self, low: int, size: int) -> tuple[list[Account], bool]:
        """Return so many accounts from a rank on, and whether they are the last ones."""
        ids = await self._client.send("ZRANGE", keyspace.account_ids(), low, low + size - 1, "REV")
        names = [each.decode() for each in ids]
        return list(await asyncio.gather(*map(self.get, names))), len(ids) < size

    async def list(self) -> list[Account]:
        """Return all accounts, oldest first."""
        ids = await self._client.send("ZRANGE", keyspace.account_ids(), 0, -1)
        return [await self.get(account_id.decode()) for account_id in ids]


def pack_account(account: Account) -> bytes:
    """Return the account's record: facts for scripts, a bar, and the rest."""
    return _pack_record(asdict(account) | Format.ACCOUNT.members)


def _pack_record(record: Mapping[str, Any]) -> bytes:
    return _limits_name(record["role"], record["tier"]).encode() + b"|" + pack(record)


def _limits_name(role: str, tier: str) -> str:
    return role if role == Role.ADMIN else tier


def _unpack_record(data: bytes) -> dict[str, Any]:
    """Return the packed part of a record. Raises RecordTooNew."""
    record = cast(dict[str, Any], unpack(data.partition(b"|")[2]))
    Format.ACCOUNT.check(record)
    return record


def parse_account(data: bytes) -> Account:
    """Return the account of a record, ignoring members of later versions.

    Raises RecordTooNew for a record of a later format, and for a tier or role that is unknown here.
    """
    record = _unpack_record(data)
    if record["tier"] not in tuple(Tier) or record["role"] not in tuple(Role):
        raise RecordTooNew(Format.ACCOUNT.noun)
    return Account(
        id=record["id"],
        email=record["email"],
        tier=Tier(record["tier"]),
        role=Role(record["role"]),
        approved=record["approved"],
        created_at=record["created_at"],
    )
