"""Whether this process has the key that the installation's secrets are sealed with."""

import contextlib

from engine.access.sealing import Sealer, Unsealable
from engine.errors import StoreFull, Unavailable
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.installation import SEAL_PLACE

SEALED = "sealed by this installation"


class SealingKeyCheck:
    """A word that the first process leaves sealed, and that all others must be able to open."""

    def __init__(self, client: Client, sealer: Sealer) -> None:
        self._client = client
        self._sealer = sealer

    async def fit(self) -> bool:
        """Whether the key is the installation's. Raises SettingError when there is none."""
        ours = self._sealer.seal(SEALED, SEAL_PLACE)
        kept = await self._client.send("GET", keyspace.seal())  # which a full Redis answers too
        if kept is None:
            kept = await self._client.send("SET", keyspace.seal(), ours, "NX", "GET")
        if kept is None or kept == ours:
            return True
        try:
            self._sealer.open(kept, SEAL_PLACE)
        except Unsealable:
            return False
        with contextlib.suppress(StoreFull):
            # The newest key is the one to have.
            await self._client.send("SET", keyspace.seal(), ours)
        return True

    async def check(self) -> None:
        """Raises Unavailable when what is sealed here could not be opened elsewhere."""
        if not await self.fit():
            raise Unavailable("This gateway does not have the key for secrets")
