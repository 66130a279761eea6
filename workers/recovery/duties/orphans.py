"""Search for orphans: executions that no worker holds and that are not due.

No transition leaves an orphan behind, and no earlier state of Redis has one. A fault, or keys that
were removed by hand, might.
"""

import logging
from collections.abc import Mapping

from engine.store import Store
from engine.store.redis import keyspace
from engine.telemetry import metrics
from workers.recovery.duty import Duty

ACCOUNTS_BATCH = 200
PASS_SECONDS = 10.0

log = logging.getLogger(__name__)


class OrphanSearch(Duty):
    """Makes executions due that three passes find not due and, two of them, not held by a worker.

    A pass goes over all accounts, a few at each tick. The passes are seconds apart, so that no
    claim on its way is taken for an orphan.
    """

    name = "find orphans"
    interval_seconds = PASS_SECONDS

    def __init__(self, store: Store) -> None:
        self._store = store
        self._position = 0
        self._candidates: set[str] = set()
        """Executions that are not due, of this pass so far."""
        self._not_due: set[str] = set()
        """Executions that the pass before found not due."""
        self._unheld: Mapping[str, str] = {}
        """Fences of the executions that the pass before found not held."""

    async def run(self) -> bool:
        """Scan the next accounts; at the end of a pass, make orphans due. Raises Unavailable."""
        accounts = await self._store.orphans.accounts(self._position, ACCOUNTS_BATCH)
        self._candidates |= await self._store.orphans.not_due(accounts)
        self._position += len(accounts)
        if len(accounts) == ACCOUNTS_BATCH:
            return True
        self._position = 0
        await self._end_pass()
        return False

    async def _end_pass(self) -> None:
        lasting = self._not_due & self._candidates
        self._not_due, self._candidates = self._candidates, set()
        unheld = await self._find_unheld(lasting) if lasting else {}
        orphans = {name: fence for name, fence in unheld.items() if self._unheld.get(name) == fence}
        self._unheld = unheld
        for name, fence in orphans.items():
            if await self._store.orphans.free(name, fence):
                metrics.EXECUTIONS_ORPHANED.inc()
                account_id, execution_id = keyspace.parse_reference(name)
                extra = {"account_id": account_id, "execution_id": execution_id}
                log.error("an execution was held by nobody and not due", extra=extra)

    async def _find_unheld(self, references: set[str]) -> dict[str, str]:
        worker_ids = await self._store.leases.workers()
        return await self._store.orphans.unheld(references, worker_ids)
