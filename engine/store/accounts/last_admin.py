"""Pins of admins, so that an installation never loses its last one.

Accounts are in partitions, which no script spans. Before the only admin of one partition loses the
role, an admin of another is pinned there; a partition whose admins are pinned keeps one of them.
When the last two of different partitions lose the role at once, both are refused.
"""

import secrets
from dataclasses import dataclass

from engine.ids.partitions import PARTITIONS
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS

PIN_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminPin:
    """Pin of the admins of a partition. `until` is in milliseconds."""

    partition: int
    token: str
    until: int


class AdminPins:
    """Pins and releases admins."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def pin_outside(self, partition: int) -> AdminPin | None:
        """Pin the admins of the first other partition that has one; None when none has."""
        token = secrets.token_hex(8)
        for other in range(PARTITIONS):
            if other == partition:
                continue
            ends = await self._client.call(
                SCRIPTS["pin_admins"],
                accounts=keyspace.accounts(other),
                admin_pins=keyspace.admin_pins(other),
                token=token,
                pin_ms=PIN_MS,
            )
            if ends:
                # Partitions may be on servers whose clocks differ a little.
                return AdminPin(partition=other, token=token, until=int(ends) - PIN_MS // 2)
        return None

    async def release(self, pin: AdminPin) -> None:
        """Let the pinned admins lose the role again."""
        await self._client.send("ZREM", keyspace.admin_pins(pin.partition), pin.token)
