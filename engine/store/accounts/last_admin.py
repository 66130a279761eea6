"""Guarantees of admins, so that an installation never loses its last one.

Accounts are in partitions, which no script spans. Before the only admin of one partition loses the
role, another partition guarantees that it keeps an admin for a while.
When the last two of different partitions lose the role at once, both are refused.
"""

import secrets
from dataclasses import dataclass

from engine.ids import partitions
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS

GUARANTEE_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminGuarantee:
    """Guarantee that a partition keeps an admin. `until` is in milliseconds."""

    partition: int
    token: str
    until: int


class AdminGuarantees:
    """Makes and releases guarantees."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def guarantee_outside(self, partition: int) -> AdminGuarantee | None:
        """Let the first other partition that has an admin guarantee it; None when none has."""
        token = secrets.token_hex(8)
        for other in partitions.every():
            if other == partition:
                continue
            ends = await self._client.call(
                SCRIPTS["guarantee_admin"],
                accounts=keyspace.accounts(other),
                admin_guarantees=keyspace.admin_guarantees(other),
                token=token,
                guarantee_ms=GUARANTEE_MS,
            )
            if ends:
                # Partitions may be on servers whose clocks differ a little.
                return AdminGuarantee(
                    partition=other, token=token, until=int(ends) - GUARANTEE_MS // 2
                )
        return None

    async def release(self, guarantee: AdminGuarantee) -> None:
        """Let the admins of the partition lose the role again."""
        await self._client.send(
            "ZREM", keyspace.admin_guarantees(guarantee.partition), guarantee.token
        )
