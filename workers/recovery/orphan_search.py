"""Search for orphans: executions that no worker holds and that are not due.

No transition leaves an orphan behind, and no earlier state of Redis has one. A fault, or keys that
were removed by hand, might. The leading sweeper scans all accounts, a few at each tick.
"""

import logging
import time
from collections.abc import Mapping

from engine import metrics
from engine.store import Store

ACCOUNTS_BATCH = 200
PASS_SECONDS = 10.0
"""Shortest time from the start of one pass over all accounts to that of the next."""

log = logging.getLogger(__name__)


class OrphanSearch:
    """Makes executions due that three passes find not due and, two of them, not held by a worker.

    The passes are seconds apart, so that no claim on its way is taken for an orphan.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._position = 0
        self._next_pass = 0.0
        self._found: set[str] = set()
        self._not_due: set[str] = set()
        self._unheld: Mapping[str, str] = {}

    async def step(self) -> None:
        """Scan the next accounts; at the end of a pass, make orphans due. Raises Unavailable."""
        if not self._position and time.monotonic() < self._next_pass:
            return
        if not self._position:
            self._next_pass = time.monotonic() + PASS_SECONDS
            self._found = set()
        accounts = await self._store.orphans.accounts(self._position, ACCOUNTS_BATCH)
        self._found |= await self._store.orphans.not_due(accounts)
        self._position += len(accounts)
        if len(accounts) < ACCOUNTS_BATCH:
            self._position = 0
            await self._end_pass()

    async def _end_pass(self) -> None:
        lasting = self._not_due & self._found
        self._not_due = self._found
        unheld = await self._unheld_of(lasting) if lasting else {}
        orphans = {name: fence for name, fence in unheld.items() if self._unheld.get(name) == fence}
        self._unheld = unheld
        for name, fence in orphans.items():
            if await self._store.orphans.free(name, fence):
                metrics.EXECUTIONS_ORPHANED.inc()
                log.error("an execution was held by nobody and not due", extra={"reference": name})

    async def _unheld_of(self, references: set[str]) -> dict[str, str]:
        held: set[str] = set()
        for worker_id in await self._store.leases.workers():
            held.update(await self._store.leases.held(worker_id))
        return await self._store.orphans.fences(references - held)
