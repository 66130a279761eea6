"""Variables of manifests that workers have set, read once a second at most."""

import asyncio
import time

from engine.models.availability import WorkerVariables
from engine.store import Store

FRESH_SECONDS = 1.0
"""Age up to which a reading is reused."""


class VariablesReader:
    """Reads the names at most once a second, however many callers need them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sets: list[frozenset[str]] = []
        self._fresh_until = 0.0
        self._reading = asyncio.Lock()

    async def read(self, *, names_variables: bool) -> WorkerVariables:
        """Return the variables that living workers have set. Raises Unavailable.

        `names_variables`: whether reasons may name variables.
        """
        async with self._reading:
            if time.monotonic() >= self._fresh_until:
                self._sets = await self._store.leases.variables()
                self._fresh_until = time.monotonic() + FRESH_SECONDS
        return WorkerVariables(sets=self._sets, names_variables=names_variables)
