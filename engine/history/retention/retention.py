"""Retention of the history by the tiers of the accounts."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence

from engine.errors import AccountNotFound, StorageFailed
from engine.history.database.connections import Database
from engine.history.retention.removal import (
    AT_ONCE,
    DAY_MS,
    carry_ledger,
    remove_acts,
    remove_batches,
    remove_children,
    remove_deliveries,
    remove_executions,
    remove_figures,
    remove_occurrences,
)
from engine.ids import partitions
from engine.store import Store
from engine.store.redis import keyspace

ACCOUNTS_AT_ONCE = 20
"""Accounts of which one call removes rows."""
MARGIN_MS = 600_000
"""Time for which a row stays beyond its retention, so that Redis has forgotten it before."""

log = logging.getLogger(__name__)


class Retention:
    """Removes rows whose time is over, some accounts at a time.

    A row stays at least for `keep_ms`, for which Redis has its execution.
    """

    def __init__(
        self,
        store: Store,
        database: Database,
        *,
        retention_days: float,
        audit_days: float,
        keep_ms: int,
    ) -> None:
        self._store = store
        self._database = database
        self._retention_days = retention_days
        self._audit_days = audit_days
        self._keep_ms = keep_ms
        self._accounts: deque[str] = deque()

    async def remove(self) -> bool:
        """Remove a batch of the rows of some accounts; True when there may be more.

        The call after the last account begins with the first one. Raises Unavailable or
        HistoryUnavailable.
        """
        now_ms = await self._store.leases.now()
        if not self._accounts:
            self._accounts += [each.id for each in await self._store.accounts.list()]
            await asyncio.to_thread(
                remove_acts, self._database, now_ms - int(self._audit_days * DAY_MS)
            )
            await self._remove_lists(now_ms)
        for _ in range(min(ACCOUNTS_AT_ONCE, len(self._accounts))):
            if not await self._remove_of(self._accounts[0], now_ms):
                self._accounts.popleft()
        return bool(self._accounts)

    async def _remove_lists(self, now_ms: int) -> None:
        """Remove replays and test runs, which Redis alone has, for as long as executions stay."""
        kept: dict[str, int] = {}
        for partition in partitions.every():
            seen = 0
            while names := await self._store.lists.ended(partition, now_ms, AT_ONCE, seen):
                seen += len(names)
                for name in names:
                    account_id, list_id = keyspace.parse_reference(name)
                    if account_id not in kept:
                        kept[account_id] = await self._kept_ms(account_id)
                    if not await self._store.lists.remove(name, now_ms - kept[account_id]):
                        continue
                    seen -= 1
                    await remove_objects(self._store, account_id, [list_id])

    async def _remove_of(self, account_id: str, now_ms: int) -> bool:
        """Remove a batch of an account's rows; True when there may be more."""
        before_ms = now_ms - await self._kept_ms(account_id)
        counts = []
        for remove in (remove_executions, remove_children, remove_batches):
            removed = await asyncio.to_thread(remove, self._database, account_id, before_ms)
            await remove_objects(self._store, account_id, removed.with_objects)
            counts.append(removed.count)
        counts += [
            await asyncio.to_thread(remove_deliveries, self._database, account_id, before_ms),
            await asyncio.to_thread(remove_occurrences, self._database, account_id, before_ms),
            await asyncio.to_thread(carry_ledger, self._database, account_id, before_ms),
        ]
        if max(counts) == AT_ONCE:
            return True
        await asyncio.to_thread(remove_figures, self._database, account_id, before_ms, now_ms)
        return False

    async def _kept_ms(self, account_id: str) -> int:
        days = self._retention_days
        with contextlib.suppress(AccountNotFound):
            account = await self._store.accounts.get(account_id)
            terms = self._store.tiers.terms(account.tier, account.role)
            days = terms.retention_days if terms.retention_days is not None else days
        return max(int(days * DAY_MS), self._keep_ms) + MARGIN_MS


async def remove_objects(store: Store, account_id: str, execution_ids: Sequence[str]) -> None:
    """Remove the objects of removed executions or batches; a later search finds the rest."""
    for execution_id in execution_ids:
        try:
            await store.offloaded.remove(account_id, execution_id)
        except StorageFailed:
            extra = {"account_id": account_id, "execution_id": execution_id}
            log.warning("cannot remove objects of executions", extra=extra)
