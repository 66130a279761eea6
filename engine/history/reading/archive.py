"""Archive for the store: reads of the database in threads, bounded in number and time.

The first read imports the library of SQL, which takes 15 MB and a sixth of a second.
"""

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from engine.executions.filter import ExecutionFilter, Position
from engine.executions.statuses import ExecutionStatus
from engine.history.database.location import check_url
from engine.history.errors import HistoryUnavailable
from engine.history.reading.bounded_reads import BoundedReads
from engine.settings import Settings
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
    OpenArchive,
    ParentNode,
    SeriesQuery,
    StreamId,
)
from engine.store.archive.ended_executions import EndedRecord
from engine.store.archive.no_archive import NoArchive
from engine.triggers.occurrences import Occurrence, OccurrenceStatus

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engine.history.database.connections import Database

RUN_SECONDS = 4.0
"""Longest time of a read in its thread."""
INSTALLATION = ""
"""Account of reads that no account asked for."""


def open_archive(settings: Settings) -> OpenArchive:
    """Return the function that opens the archive of the settings. Raises SettingError."""
    url = settings.database_url
    if not url:
        return NoArchive
    check_url(url)

    def open_database() -> "Database":
        from engine.history.database.connections import Database

        return Database(url, read_seconds=RUN_SECONDS)

    return functools.partial(HistoryArchive, open_database)


class HistoryArchive(BoundedReads):
    """Reads of one database; each read sees one snapshot. Raises HistoryUnavailable."""

    async def require(self) -> None:
        """Raise HistoryUnavailable unless this is the database that has the history."""
        if not await self._expected():
            raise HistoryUnavailable("no database has the history of this installation yet")
        await self.read(INSTALLATION, lambda _: None)

    async def record(self, account_id: str, execution_id: str) -> EndedRecord | None:
        """Return the record of an execution, None for an unknown one."""

        def work(connection: "Connection") -> EndedRecord | None:
            from engine.history.reading.execution_reads import read_record

            return read_record(connection, account_id, execution_id)

        return await self.read(account_id, work)

    async def page(
        self,
        account_id: str,
        wanted: ExecutionFilter,
        after: Position | None,
        *,
        limit: int,
        offset: int = 0,
    ) -> ArchivedPage:
        """Return matches after a row and after `offset` further matches."""

        def work(connection: "Connection") -> ArchivedPage:
            from engine.history.reading.execution_reads import read_page

            return read_page(connection, account_id, wanted, after, limit=limit, offset=offset)

        return await self.read(account_id, work)

    async def heads(
        self, account_id: str, execution_ids: Collection[str]
    ) -> Sequence[ArchivedExecution]:
        """Return those of these executions that the history has, in any order."""

        def work(connection: "Connection") -> Sequence[ArchivedExecution]:
            from engine.history.reading.execution_reads import read_heads

            return read_heads(connection, account_id, execution_ids)

        return await self.read(account_id, work)

    async def children(
        self,
        account_id: str,
        place: ParentNode,
        statuses: Collection[ExecutionStatus],
        *,
        after: int,
        limit: int,
    ) -> Sequence[ArchivedExecution]:
        """Return children of a node after an index, in the order of their indexes."""

        def work(connection: "Connection") -> Sequence[ArchivedExecution]:
            from engine.history.reading.child_reads import read_children

            return read_children(connection, account_id, place, statuses, after=after, limit=limit)

        return await self.read(account_id, work)

    async def results(self, account_id: str, execution_ids: Collection[str]) -> Mapping[str, bytes]:
        """Return the recorded results of executions that have one, by id."""

        def work(connection: "Connection") -> Mapping[str, bytes]:
            from engine.history.reading.execution_reads import read_results

            return read_results(connection, account_id, execution_ids)

        return await self.read(account_id, work)

    async def count(
        self, account_id: str, wanted: ExecutionFilter, after: Position | None, *, at_most: int
    ) -> ArchivedCount:
        """Return the number of matches after a row, at most so many."""

        def work(connection: "Connection") -> ArchivedCount:
            from engine.history.reading.execution_queries import count_rows

            return count_rows(connection, account_id, wanted, after, at_most=at_most)

        return await self.read(account_id, work)

    async def known(self, ids: Iterable[ExecutionIds]) -> set[ExecutionIds]:
        """Return those executions and batches that the history has."""
        wanted = list(ids)

        def work(connection: "Connection") -> set[ExecutionIds]:
            from engine.history.archiving.execution_writer import find_known
            from engine.history.reading.batch_reads import find_known_batches

            return find_known(connection, wanted) | find_known_batches(connection, wanted)

        accounts = {account_id for account_id, _ in wanted}
        account_id = accounts.pop() if len(accounts) == 1 else INSTALLATION
        return await self.read(account_id, work) if wanted else set()

    async def figures(
        self, account_id: str, wanted: SeriesQuery, created: Mapping[str, int]
    ) -> ArchivedFigures:
        """Return figures, and which of some executions the history has at that moment."""

        def work(connection: "Connection") -> ArchivedFigures:
            from engine.history.archiving.execution_writer import find_known
            from engine.history.reading.series import read_figures

            ids = find_known(connection, [(account_id, name) for name in created])
            known = {name for _, name in ids}
            changed = {wanted.bucket_of(at) for name, at in created.items() if name not in known}
            whole, by_key = read_figures(connection, account_id, wanted, changed)
            return ArchivedFigures(whole=whole, by_key=by_key, known=known)

        return await self.read(account_id, work)

    async def ledger(
        self, account_id: str, wanted: LedgerFilter, before: StreamId | None, limit: int
    ) -> Sequence[tuple[StreamId, LedgerEntry]]:
        """Return the matching entries before one of a ledger, newest first."""

        def work(connection: "Connection") -> Sequence[tuple[StreamId, LedgerEntry]]:
            from engine.history.reading.entry_reads import read_ledger

            return read_ledger(connection, account_id, wanted, before, limit)

        return await self.read(account_id, work)

    async def ledger_sums(self, account_id: str) -> ArchivedLedger | None:
        """Return the sums of a ledger's archived entries, None when it has none."""

        def work(connection: "Connection") -> ArchivedLedger | None:
            from engine.history.archiving.entries import ledger_position, ledger_sums

            last = ledger_position(connection, account_id)
            if last is None:
                return None
            sums = ledger_sums(connection, account_id)
            return ArchivedLedger(last=(last.at, last.number), sums=sums)

        return await self.read(account_id, work)

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
        """Return ended deliveries after a row, of a webhook or an execution, or all."""

        def work(connection: "Connection") -> Sequence[ArchivedDelivery]:
            from engine.history.reading.entry_reads import read_deliveries

            wanted = {"key_id": key_id, "execution_id": execution_id, "status": status}
            return read_deliveries(connection, account_id, wanted, after, limit)

        return await self.read(account_id, work)

    async def deliveries_since(
        self, account_id: str, key_id: str, status: str | None, since: int, limit: int
    ) -> Sequence[Position]:
        """Return the rows of a webhook's deliveries created since a time, oldest first."""

        def work(connection: "Connection") -> Sequence[Position]:
            from engine.history.reading.entry_reads import read_deliveries_since

            return read_deliveries_since(connection, account_id, key_id, status, since, limit)

        return await self.read(account_id, work)

    async def delivery(self, account_id: str, delivery_id: str) -> ArchivedDelivery | None:
        """Return an ended delivery, None for an unknown one."""

        def work(connection: "Connection") -> ArchivedDelivery | None:
            from engine.history.reading.entry_reads import read_delivery

            return read_delivery(connection, account_id, delivery_id)

        return await self.read(account_id, work)

    async def batch(self, account_id: str, batch_id: str) -> Mapping[str, bytes] | None:
        """Return the whole record of a batch that is over, None for an unknown one."""

        def work(connection: "Connection") -> Mapping[str, bytes] | None:
            from engine.history.reading.batch_reads import read_batch

            return read_batch(connection, account_id, batch_id)

        return await self.read(account_id, work)

    async def batches(
        self, account_id: str, after: Position | None, limit: int
    ) -> Sequence[ArchivedBatch]:
        """Return batches that are over, after a row, newest first."""

        def work(connection: "Connection") -> Sequence[ArchivedBatch]:
            from engine.history.reading.batch_reads import read_batches

            return read_batches(connection, account_id, after, limit)

        return await self.read(account_id, work)

    async def occurrence(
        self, account_id: str, trigger_id: str, occurrence_id: str
    ) -> Occurrence | None:
        """Return an occurrence of a trigger, None for an unknown one."""

        def work(connection: "Connection") -> Occurrence | None:
            from engine.history.reading.occurrence_reads import read_occurrence

            return read_occurrence(connection, account_id, trigger_id, occurrence_id)

        return await self.read(account_id, work)

    async def occurrences(
        self,
        account_id: str,
        trigger_id: str,
        status: OccurrenceStatus | None,
        after: Position | None,
        limit: int,
    ) -> Sequence[Occurrence]:
        """Return occurrences of a trigger after a row, newest first; None: of any status."""

        def work(connection: "Connection") -> Sequence[Occurrence]:
            from engine.history.reading.occurrence_reads import read_occurrences

            return read_occurrences(connection, account_id, trigger_id, status, after, limit)

        return await self.read(account_id, work)
