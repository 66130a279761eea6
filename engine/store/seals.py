"""Check that this process has the key that seals the installation's secrets."""

import contextlib

from engine.access.sealing import Sealer, Unsealable
from engine.errors import StoreFull, Unavailable
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.installation import SEAL_PLACE

SEALED = "sealed by this installation"


class SealingKeyCheck:
    """Word that the first process seals, and that every other process must open."""

    def __init__(self, client: Client, sealer: Sealer) -> None:
        self._client = client
        self._sealer = sealer

    async def fit(self) -> bool:
        """Return whether the key is the installation's. Raises SettingError without a key."""
        ours = self._sealer.seal(SEALED, SEAL_PLACE)
        stored = await self._client.send("GET", keyspace.seal())  # a full Redis still answers
        if stored is None:
            stored = await self._client.send("SET", keyspace.seal(), ours, "NX", "GET")
        if stored is None or stored == ours:
            return True
        try:
            self._sealer.open(stored, SEAL_PLACE)
        except Unsealable:
            return False
        with contextlib.suppress(StoreFull):
            # The newest key becomes the one to match.
            await self._client.send("SET", keyspace.seal(), ours)
        return True

    async def check(self) -> None:
        """Raise Unavailable when other processes could not open secrets sealed here."""
        if not await self.fit():
            raise Unavailable("This gateway does not have the key for secrets")
