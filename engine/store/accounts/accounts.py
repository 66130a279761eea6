"""Accounts: owners and payers of workflows and executions."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from engine.access.capabilities import Role, Tier
from engine.errors import AccountNotFound
from engine.ids.partitions import partition_of
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack, unpack
from engine.store.redis.scripts import SCRIPTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account. `created_at` is in milliseconds since the epoch."""

    id: str
    email: str
    tier: Tier
    role: Role
    approved: bool
    created_at: int


class Accounts:
    """Creates, reads, changes and lists accounts."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create(
        self, *, email: str, tier: Tier, role: Role = Role.USER, approved: bool = True
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
        await self._client.send(
            "HSET", keyspace.accounts(partition), account.id, pack_account(account)
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
        return await self._change(account_id, approved=True)

    async def set_tier(self, account_id: str, tier: Tier) -> Account:
        """Move the account to a tier, from its very next request on.

        Raises AccountNotFound.
        """
        return await self._change(account_id, tier=Tier(tier).value)

    async def _change(self, account_id: str, **members: Any) -> Account:
        accounts = keyspace.accounts(partition_of(account_id))
        while True:
            before = await self._client.send("HGET", accounts, account_id)
            if before is None:
                raise AccountNotFound(account_id)
            after = _pack_record(_unpack_record(before) | members)
            if await self._client.call(
                SCRIPTS["replace_account"], [accounts], [account_id, before, after]
            ):
                return parse_account(after)

    async def list(self) -> list[Account]:
        """Return all accounts, oldest first."""
        ids = await self._client.send("ZRANGE", keyspace.account_ids(), 0, -1)
        return [await self.get(account_id.decode()) for account_id in ids]


def pack_account(account: Account) -> bytes:
    """Return the account's record: facts for scripts, a bar, and the rest."""
    return _pack_record(asdict(account))


def _pack_record(record: Mapping[str, Any]) -> bytes:
    limits: str = record["role"] if record["role"] == Role.ADMIN else record["tier"]
    return limits.encode() + b"|" + pack(record)


def _unpack_record(data: bytes) -> dict[str, Any]:
    return cast(dict[str, Any], unpack(data.partition(b"|")[2]))


def parse_account(data: bytes) -> Account:
    """Return the account of a record, ignoring members of later versions."""
    record = _unpack_record(data)
    return Account(
        id=record["id"],
        email=record["email"],
        tier=Tier(record["tier"]),
        role=Role(record["role"]),
        approved=record["approved"],
        created_at=record["created_at"],
    )
