"""Archiving of ended executions: write them to the history, then let Redis forget them."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence

from engine.errors import EngineError, StorageFailed
from engine.history.archiving.execution_rows import ExecutionRows, make_rows
from engine.history.archiving.execution_writer import (
    find_known,
    write_executions,
    write_missing_tags,
    write_retries,
)
from engine.history.archiving.refusals import Refusals
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.store import Store
from engine.store.archive.ended_executions import EndedExecutions, EndedRecord
from engine.store.archive.node_names import NodeNames
from engine.store.redis import keyspace

BATCH = 500
"""Executions that one transaction writes."""
FORGET_BATCH = 500
CHECK_BATCH = 500
SETTLED_MS = 60_000
"""Time after an end from which on an execution ought to be in the history or on the list."""

log = logging.getLogger(__name__)


class ExecutionArchive:
    """Moves ended executions to the history, a batch at a time.

    Every step may be repeated, and stopped anywhere: an execution leaves the list once it is in the
    database, and Redis forgets only what the database has.
    """

    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._database = database
        self._ended = EndedExecutions(store.client)
        self._names = NodeNames(store.workflows)
        self._checked: dict[int, int] = defaultdict(int)
        self._forgotten: dict[int, int] = defaultdict(int)
        """Times in milliseconds of the ends that the next pages begin with, by partition."""
        self.refused = Refusals()
        """Executions that cannot be written."""

    async def archive(self, size: int = BATCH) -> Sequence[EndedRecord] | None:
        """Write a batch of the next partitions; return its new records, None when they have none.

        Raises Unavailable or HistoryUnavailable.
        """
        listed = await self._ended.unarchived(size + len(self.refused))
        waiting = self.refused.accepted(listed)[:size]
        if not waiting:
            return None
        batches = await self.refused.isolate(waiting, self._ended.read)
        records = [each for batch in batches for each in batch.records]
        rows = {each.reference: await self._rows(each) for each in records}
        await self._write([each for each in rows.values() if each is not None])
        names = [name for batch in batches for name in batch.references]
        await self._ended.mark_archived(self.refused.accepted(names))
        return [each for each in records if each.reference not in self.refused]

    async def backlog(self) -> int:
        """Return the number of executions that wait for the history, without refused ones."""
        return (await self._ended.backlog()).count - len(self.refused)

    async def check(self, partition: int, until_ms: int) -> bool:
        """List executions that ended before a time and are neither listed nor in the history.

        These ended before there was a history. Examines one page after that of the last call; True
        when there are more.
        """
        since = self._checked[partition]
        page = await self._ended.ended(partition, since, until_ms - SETTLED_MS, CHECK_BATCH)
        self._checked[partition] = page.next_at
        await self.refused.isolate(self.refused.accepted(page.references), self._list_unknown)
        return page.has_more

    async def due(self, ended_before_ms: int, period_seconds: float) -> Sequence[int]:
        """Return the partitions with an execution that Redis may forget, like `EndedExecutions`."""
        return await self._ended.due(ended_before_ms, period_seconds)

    async def forget(self, partition: int, ended_before_ms: int) -> bool:
        """Let Redis forget archived executions that ended before a time; True if there are more.

        Examines one page after that of the last call, or the first one after the last.
        """
        since = self._forgotten[partition]
        page = await self._ended.ended(partition, since, ended_before_ms, FORGET_BATCH)
        self._forgotten[partition] = page.next_at if page.has_more else 0
        names = self.refused.accepted(page.references)
        await self.refused.isolate(names, lambda some: self._forget(some, ended_before_ms))
        return page.has_more

    async def _forget(self, names: Sequence[str], ended_before_ms: int) -> None:
        known = await self._list_unknown(names)
        facts = await self._ended.last_facts(known)
        by_ids = {keyspace.parse_reference(name): each for name, each in facts.items()}
        retries = {ids: each.retry for ids, each in by_ids.items() if each.retry}
        tags = {ids: each.tags for ids, each in by_ids.items() if each.tags}
        await asyncio.to_thread(write_retries, self._database, retries)
        await asyncio.to_thread(write_missing_tags, self._database, tags)
        are_forgotten = await asyncio.gather(
            *(
                self._ended.forget(name, ended_before_ms, facts[name].retry, facts[name].groups)
                for name in known
            )
        )
        for name, is_forgotten in zip(known, are_forgotten, strict=True):
            if is_forgotten and facts[name].event:
                await self._remove_event(name, facts[name].event)

    async def _remove_event(self, reference: str, event: str) -> None:
        """Remove the object of an event, which nothing names any more.

        Where that fails, it goes with the other objects of its execution.
        """
        try:
            await self._store.offloaded.remove_one(*keyspace.parse_reference(reference), event)
        except StorageFailed:
            account_id, execution_id = keyspace.parse_reference(reference)
            extra = {"account_id": account_id, "execution_id": execution_id}
            log.warning("cannot remove the object of an event", extra=extra)

    async def _list_unknown(self, names: Sequence[str]) -> Sequence[str]:
        """Return the references that the history has; list the others for it."""
        if not names:
            return ()
        known = await asyncio.to_thread(self._known, names)
        await self._ended.mark_unarchived(set(names) - known)
        return [name for name in names if name in known]

    def _known(self, names: Sequence[str]) -> set[str]:
        with self._database.read(is_fresh=True) as connection:
            known = find_known(connection, [keyspace.parse_reference(name) for name in names])
        return {keyspace.reference(*ids) for ids in known}

    async def _rows(self, record: EndedRecord) -> ExecutionRows | None:
        """Return the rows of a record; None when they cannot be made, which is logged."""
        try:
            return make_rows(record, await self._names.of_execution(record))
        except EngineError:
            raise
        except Exception as error:
            self.refused.refuse_unreadable(record.reference, error)
            return None

    async def _write(self, rows: Sequence[ExecutionRows]) -> None:
        """Write rows; those of a batch that the database refuses are written one by one."""
        try:
            await asyncio.to_thread(write_executions, self._database, rows)
        except HistoryUnavailable as error:
            if not error.is_about_data:
                raise
            if len(rows) == 1:
                row = rows[0].execution
                name = keyspace.reference(row["account_id"], row["id"])
                self.refused.refuse(name, error.reason)
                return
            for each in rows:
                await self._write([each])
