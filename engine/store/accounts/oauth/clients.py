"""Clients of OAuth: programs that have registered themselves, and belong to no account."""

import math

from engine.errors import TooManyRegistrations
from engine.store.accounts.oauth import keys
from engine.store.accounts.oauth.records import OAuthClient
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
MOST_PER_HOUR = 20
"""Registrations of one address in an hour."""
UNGRANTED_MS = 7 * DAY_MS
"""Life of a client that nobody has granted anything."""
MOST_UNGRANTED = 10_000
"""With at most 8 KB each they take 80 MB; beyond, the oldest go."""


class OAuthClients:
    """Registers and finds clients."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def register(self, client: OAuthClient, address: str) -> None:
        """Save a new client that this address registers. Raises TooManyRegistrations."""
        wait_ms = await self._client.call(
            SCRIPTS["add_oauth_record"],
            records=keys.clients(),
            by_end=keys.ungranted(),
            window=keys.registrations(address),
            id=client.id,
            record=client.pack(),
            keep_ms=UNGRANTED_MS,
            most=MOST_UNGRANTED,
            window_ms=HOUR_MS,
            most_in_window=MOST_PER_HOUR,
            all_ms=None,
        )
        if wait_ms:
            raise TooManyRegistrations(MOST_PER_HOUR, math.ceil(wait_ms / 1_000))

    async def find(self, client_id: str) -> OAuthClient | None:
        """Return a client; None for an unknown one. Raises RecordTooNew."""
        record = await self._client.send("HGET", keys.clients(), client_id)
        return None if record is None else OAuthClient.parse(record)
