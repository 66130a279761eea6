"""History of processes without a database."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from engine.errors import Unavailable
from engine.executions.filter import ExecutionFilter, Position
from engine.executions.statuses import ExecutionStatus
from engine.store.accounts.wallets import LedgerEntry
from engine.store.archive.archive import (
    ArchivedBatch,
    ArchivedCount,
    ArchivedDelivery,
    ArchivedExecution,
    ArchivedFigures,
    ArchivedLedger,
    ArchivedPage,
    ExecutionIds,
    LedgerFilter,
    ParentNode,
    SeriesQuery,
    StreamId,
)
from engine.store.archive.ended_executions import EndedRecord
from engine.store.archive.state import CANNOT_READ, InstalledId
from engine.triggers.occurrences import Occurrence, OccurrenceStatus


class NoArchive:
    """Empty history, for processes without a database.

    Where the installation has a history, every call raises Unavailable.
    """

    def __init__(self, installed_id: InstalledId) -> None:
        self._installed_id = installed_id

    async def require(self) -> None:
        if await self._installed_id():
            raise Unavailable(CANNOT_READ)

    async def record(self, account_id: str, execution_id: str) -> EndedRecord | None:
        await self.require()
        return None

    async def page(
        self,
        account_id: str,
        wanted: ExecutionFilter,
        after: Position | None,
        *,
        limit: int,
        offset: int = 0,
    ) -> ArchivedPage:
        await self.require()
        return ArchivedPage()

    async def heads(
        self, account_id: str, execution_ids: Collection[str]
    ) -> Sequence[ArchivedExecution]:
        await self.require()
        return ()

    async def children(
        self,
        account_id: str,
        place: ParentNode,
        statuses: Collection[ExecutionStatus],
        *,
        after: int,
        limit: int,
    ) -> Sequence[ArchivedExecution]:
        await self.require()
        return ()

    async def results(self, account_id: str, execution_ids: Collection[str]) -> Mapping[str, bytes]:
        await self.require()
        return {}

    async def count(
        self, account_id: str, wanted: ExecutionFilter, after: Position | None, *, at_most: int
    ) -> ArchivedCount:
        await self.require()
        return ArchivedCount()

    async def known(self, ids: Iterable[ExecutionIds]) -> set[ExecutionIds]:
        await self.require()
        return set()

    async def figures(
        self, account_id: str, wanted: SeriesQuery, created: Mapping[str, int]
    ) -> ArchivedFigures:
        await self.require()
        return ArchivedFigures()

    async def ledger(
        self, account_id: str, wanted: LedgerFilter, before: StreamId | None, limit: int
    ) -> Sequence[tuple[StreamId, LedgerEntry]]:
        await self.require()
        return ()

    async def ledger_sums(self, account_id: str) -> ArchivedLedger | None:
        await self.require()
        return None

    async def deliveries(
        self,
        account_id: str,
        key_id: str | None,
        status: str | None,
        after: Position | None,
        limit: int,
        *,
        execution_id: str | None = None,
    ) -> Sequence[ArchivedDelivery]:
        await self.require()
        return ()

    async def deliveries_since(
        self, account_id: str, key_id: str, status: str | None, since: int, limit: int
    ) -> Sequence[Position]:
        await self.require()
        return ()

    async def delivery(self, account_id: str, delivery_id: str) -> ArchivedDelivery | None:
        await self.require()
        return None

    async def batch(self, account_id: str, batch_id: str) -> Mapping[str, bytes] | None:
        await self.require()
        return None

    async def batches(
        self, account_id: str, after: Position | None, limit: int
    ) -> Sequence[ArchivedBatch]:
        await self.require()
        return ()

    async def occurrence(
        self, account_id: str, trigger_id: str, occurrence_id: str
    ) -> Occurrence | None:
        await self.require()
        return None

    async def occurrences(
        self,
        account_id: str,
        trigger_id: str,
        status: OccurrenceStatus | None,
        after: Position | None,
        limit: int,
    ) -> Sequence[Occurrence]:
        await self.require()
        return ()

    async def close(self) -> None:
        pass
